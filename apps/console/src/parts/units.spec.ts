import { describe, expect, it } from 'vitest';
import { bytesText, countText, durationText, usdText } from './units.ts';

describe('units', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,020 B'],
    [1024, '1 KiB'],
    [1_572_864, '1.5 MiB'],
    [2 ** 60, '1,020 PiB'],
  ])('%i bytes are written as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [4200, '4.2 s'],
    [185_000, '3 min 5 s'],
    [7_440_000, '2 h 4 min'],
    [273_600_000, '3 d 4 h'],
  ])('%f milliseconds are written as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it.each([
    [0, '$0'],
    [12.345, '$12.35'],
    [0.000_047_683_7, '$0.000048'],
    [0.0099, '$0.0099'],
  ])('a price of %f dollars is written as %s', (usd, text) => {
    expect(usdText(usd)).toBe(text);
  });

  it('thousands are grouped', () => {
    expect(countText(1_234_567)).toBe('1,234,567');
  });
});
