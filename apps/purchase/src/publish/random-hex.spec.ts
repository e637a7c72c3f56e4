import { describe, expect, it } from 'vitest';
import { pooledHex } from './random-hex.ts';

describe('pooledHex', () => {
  it('the pool hands out each digit once, and refills when a draw does not fit', () => {
    const filled: number[] = [];
    const draw = pooledHex((bytes) => {
      filled.push(bytes);
      return Buffer.from(Array.from({ length: bytes }, (_, index) => (index + filled.length) % 256));
    });
    expect([draw(4), draw(6), filled.length]).toEqual(['0102', '030405', 1]);
    const rest = filled[0]! * 2 - 10;
    draw(rest - 2);
    expect([draw(4), filled.length]).toEqual(['0203', 2]);
  });

  it('the pool never repeats a draw of 20 digits', () => {
    const draw = pooledHex();
    const drawn = Array.from({ length: 5000 }, () => draw(20));
    expect([new Set(drawn).size, drawn.every((one) => /^[0-9a-f]{20}$/.test(one))]).toEqual([5000, true]);
  });
});
