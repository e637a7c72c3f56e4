import { describe, expect, it } from 'vitest';
import { offsetOf, placeOf } from './place-of-problem.ts';

describe('the place of a problem', () => {
  it('the place is that of the first error of the statement that has one', () => {
    const message = 'unknown column';
    const errors = [
      { field: 'parameters', message, line: 9, column: 9 },
      { field: 'sql', message },
      { field: 'sql', message, line: 2, column: 3 },
    ];
    expect(placeOf({ errors })).toEqual({ line: 2, column: 3 });
    expect(placeOf({ errors: [{ field: 'sql', message }] })).toBeUndefined();
    expect(placeOf({})).toBeUndefined();
  });

  it('columns count characters, and a place after the end of the text is its end', () => {
    expect(offsetOf('a\n😀b', { line: 2, column: 2 })).toBe(4);
    expect(offsetOf('ab', { line: 7, column: 1 })).toBe(2);
  });
});
