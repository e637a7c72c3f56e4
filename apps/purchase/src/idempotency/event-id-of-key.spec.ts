import { anonymous } from '@millrace/runtime';
import { describe, expect, it } from 'vitest';
import { eventIdOfKey, type RequestName } from './event-id-of-key.ts';

const name: RequestName = { principal: anonymous, stream: 'purchases', key: 'order-4711' };
const alice = { kind: 'jwt', issuer: 'https://x', subject: 'alice' } as const;

describe('eventIdOfKey', () => {
  it('the event id of a key never changes: other instances and later versions compute the same one', () => {
    // SHA-256 of ["anonymous","","","purchases","order-4711"] and of the same with 3 at its end.
    expect(eventIdOfKey(name)).toBe('aec24f54-0d89-866a-8851-ba55d60b1a99');
    expect(eventIdOfKey(name, 3)).toBe('35379f78-ea1b-8a62-b43a-25b9c130c941');
  });

  it('the event id of a key differs by principal, stream, key and place in a batch, however the parts are divided', () => {
    const ids = [
      eventIdOfKey(name),
      eventIdOfKey(name, 0),
      eventIdOfKey(name, 1),
      eventIdOfKey({ ...name, key: 'order-4712' }),
      eventIdOfKey({ ...name, key: 'order-4711",0' }),
      eventIdOfKey({ ...name, stream: 'refunds' }),
      eventIdOfKey({ ...name, principal: alice }),
      eventIdOfKey({ ...name, principal: { ...alice, kind: 'api-key' } }),
      eventIdOfKey({ ...name, principal: { ...alice, issuer: 'https://xa', subject: 'lice' } }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
