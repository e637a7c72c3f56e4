import { describe, expect, it } from 'vitest';
import { textPattern } from './fields.ts';

describe('textPattern', () => {
  const text = new RegExp(textPattern, 'u');

  it.each(['', 'Orlando', '🕮 Ελληνικά', '\uffff'])('%o fits', (value) => {
    expect(text.test(value)).toBe(true);
  });

  it.each(['a\u0000b', '\ud800', 'a\udfffb'])('%o, which holds NUL or an unpaired surrogate, does not fit', (value) => {
    expect(text.test(value)).toBe(false);
  });

  it('the pattern has no property class, which engines such as Python’s re refuse', () => {
    expect(textPattern).not.toContain(String.raw`\p`);
  });
});
