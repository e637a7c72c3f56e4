import { describe, expect, it } from 'vitest';
import { offsetOf, placeOf } from './place-of-problem.ts';

describe('the place of a problem', () => {
  it('the place comes from the error of the statement, or else from the detail', () => {
    expect(placeOf({ errors: [{ field: 'sql', message: 'line 2, column 3: unknown column' }], detail: 'line 9, column 9' })).toEqual({
      line: 2,
      column: 3,
    });
    expect(placeOf({ detail: 'The engine failed: line 4, column 10: Column "x" does not exist' })).toEqual({ line: 4, column: 10 });
    expect(placeOf({ detail: 'The engine failed.' })).toBeUndefined();
  });

  it('columns count characters, and a place behind the text is its end', () => {
    expect(offsetOf('a\n😀b', { line: 2, column: 2 })).toBe(4);
    expect(offsetOf('ab', { line: 7, column: 1 })).toBe(2);
  });
});
