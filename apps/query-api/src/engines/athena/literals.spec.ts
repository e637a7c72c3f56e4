import { describe, expect, it } from 'vitest';
import { readStatement } from '../../statement/statement-text.ts';
import { literalOf, withLiterals } from './literals.ts';

describe('literals', () => {
  it.each([
    ['plain', "'plain'"],
    ["O'Brien'; drop table x; --", "'O''Brien''; drop table x; --'"],
    ["\\'", "'\\'''"],
    ['', "''"],
    ['?', "'?'"],
    [42, '42'],
    [-1, '(-1)'],
    [0, '0'],
    [-0, '0'],
    [9_007_199_254_740_991, '9007199254740991'],
    [1.5, '1.5E+0'],
    [-0.25, '(-2.5E-1)'],
    [1e300, '1E+300'],
    [true, 'TRUE'],
    [false, 'FALSE'],
    [null, 'NULL'],
  ])('the value %j becomes %s', (value, literal) => {
    expect(literalOf(value)).toBe(literal);
  });

  it('the literals are where the placeholders are, in order, and nowhere else', () => {
    const statement = readStatement(`select '?' as "?", 1-? from purchases where genre=? and dt>=? -- ?`);
    expect(withLiterals(statement, [-1, "a'?", '2019-01-01']).text.trim()).toBe(
      `select '?' as "?", 1- (-1)  from purchases where genre= 'a''?'  and dt>= '2019-01-01'`,
    );
  });
});
