import { expect, it } from 'vitest';
import { OpenRequests } from './open-requests.ts';

it('a caller at its limit of open requests opens no more, and other callers still do', () => {
  const requests = new OpenRequests(2);
  expect(['alice', 'alice', 'alice', 'bob'].map((caller) => requests.tryOpen(caller))).toEqual([true, true, false, true]);
  requests.close('alice');
  expect([requests.tryOpen('alice'), requests.tryOpen('alice')]).toEqual([true, false]);
  for (const caller of ['alice', 'alice', 'bob']) requests.close(caller);
  expect([requests.tryOpen('alice'), requests.tryOpen('alice'), requests.tryOpen('alice')]).toEqual([true, true, false]);
});
