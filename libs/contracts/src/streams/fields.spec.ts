import { describe, expect, it } from 'vitest';
import { textPattern } from './fields.ts';

describe('textPattern', () => {
  const text = new RegExp(textPattern, 'u');

  it.each(['', 'Orlando', '🕮 Ελληνικά', '\u0001', '\ud7ff', '\ue000', '\uffff', '\u{10ffff}'])('%o fits', (value) => {
    expect(text.test(value)).toBe(true);
  });

  it.each(['a\u0000b', '\ud800', 'a\udfffb'])('%o, which holds NUL or an unpaired surrogate, does not fit', (value) => {
    expect(text.test(value)).toBe(false);
  });

  it('the pattern has neither a property class nor a surrogate, which engines of other languages refuse', () => {
    expect(textPattern).not.toMatch(/\\p|\\ud[89a-f]|\\u\{/);
  });
});
