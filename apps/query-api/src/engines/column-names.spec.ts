import { expect, it } from 'vitest';
import { uniqueNames } from './column-names.ts';

it.each([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [
    ['a', 'a', 'a'],
    ['a', 'a_1', 'a_2'],
  ],
  [
    ['a', 'a', 'a_1'],
    ['a', 'a_2', 'a_1'],
  ],
  [
    ['a_1', 'a', 'a'],
    ['a_1', 'a', 'a_2'],
  ],
  [
    ['a', 'A'],
    ['a', 'A'],
  ],
  [
    ['__proto__', 'constructor', '__proto__'],
    ['__proto__', 'constructor', '__proto___1'],
  ],
  [
    ['', ''],
    ['', '_1'],
  ],
  [[], []],
])('the names %j become %j', (names, unique) => {
  expect(uniqueNames(names)).toEqual(unique);
});
