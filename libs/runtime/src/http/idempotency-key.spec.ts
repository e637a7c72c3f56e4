import { expect, it } from 'vitest';
import { idempotencyKeyOf } from './idempotency-key.ts';

it.each(['a', '"8e03978e-40d5-43e8-bc93-6894a57f9324"', '~'.repeat(255)])('the key %j is used unchanged', (key) => {
  expect(idempotencyKeyOf(key)).toBe(key);
});

it('a request without the header has no key', () => {
  expect(idempotencyKeyOf(undefined)).toBeUndefined();
});

it.each([
  ['is empty', ''],
  ['is too long', 'x'.repeat(256)],
  ['has a space', 'a b'],
  ['comes twice', 'a, b'],
  ['has a control character', 'a\u0007'],
  ['is not ASCII', 'schlüssel'],
])('a key that %s is refused with the limit', (_what, key) => {
  expect(() => idempotencyKeyOf(key)).toThrow(
    expect.objectContaining({
      code: 'validation',
      details: expect.objectContaining({
        errors: [{ field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters', limit: 255 }],
      }) as unknown,
    }),
  );
});
