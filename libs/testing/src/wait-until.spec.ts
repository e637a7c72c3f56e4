import { describe, expect, it } from 'vitest';
import { waitUntil } from './wait-until.ts';

describe('waitUntil', () => {
  it('waitUntil polls until the result is defined and returns it', async () => {
    const looks = [undefined, false, 0];
    expect(await waitUntil('a number', () => looks.shift(), { everyMs: 0 })).toBe(0);
  });

  it('waitUntil treats an error as "not yet" and reports the last one at the timeout', async () => {
    const cause = new Error('not there');
    const given = await waitUntil('a miracle', () => Promise.reject(cause), { timeoutMs: 0, everyMs: 0 }).catch((error: unknown) => error);
    expect(given).toMatchObject({ message: 'waited 0 ms for a miracle; the last look gave: not there', cause });
  });
});
