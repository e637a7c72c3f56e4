import { describe, expect, it } from 'vitest';
import { pooledHex } from './random-hex.ts';
import { uuidV7 } from './uuid-v7.ts';

describe('uuidV7', () => {
  it('a UUIDv7 holds the time, the version, the variant and the random digits', () => {
    expect(uuidV7(0x0199_f2a0_1234, () => 'abc123fedcba9876547')).toBe('0199f2a0-1234-7abc-b123-fedcba987654');
  });

  it.each([
    ['0', '8'],
    ['5', '9'],
    ['a', 'a'],
    ['f', 'b'],
  ])('a UUIDv7 whose last random digit is %s has the variant digit %s', (digit, variant) => {
    expect(uuidV7(1, () => `${'0'.repeat(18)}${digit}`)[19]).toBe(variant);
  });

  it('UUIDv7s sort by time, and two of the same millisecond differ', () => {
    const draw = pooledHex();
    const ids = [uuidV7(999, draw), uuidV7(1000, draw), uuidV7(2 ** 40, draw)];
    expect(ids.toSorted()).toEqual(ids);
    expect(uuidV7(1, draw)).not.toBe(uuidV7(1, draw));
  });
});
