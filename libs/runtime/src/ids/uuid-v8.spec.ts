import { expect, it } from 'vitest';
import { uuidV8 } from './uuid-v8.ts';

it('a UUID of version 8 holds the digest except for the bits of version and variant', () => {
  expect(uuidV8('00112233445566778899aabbccddeeffrest')).toBe('00112233-4455-8677-8899-aabbccddeeff');
  expect(uuidV8('f'.repeat(64))).toBe('ffffffff-ffff-8fff-bfff-ffffffffffff');
});
