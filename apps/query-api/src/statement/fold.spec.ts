import { expect, it } from 'vitest';
import { foldName, foldsAlike } from './fold.ts';

it.each([
  ['Purchases', 'purchases'],
  ['duc\u212Ab', 'duc\u212Ab'],
  ['\u017Fum', '\u017Fum'],
  ['\u0130d', '\u0130d'],
  ['UMSÄTZE', 'umsÄtze'],
  ['ＤＵＣＫ', 'ＤＵＣＫ'],
])('the name %s folds to %s: only ASCII letters change', (name, folded) => {
  expect(foldName(name)).toBe(folded);
});

it.each([
  ['Purchases', true],
  ['umsätze', true],
  ['UMSÄTZE', false],
  ['duc\u212Ab', false],
  ['ｄｕｃｋ', false],
  ['\u017Fum', false],
])('the engines fold the name %s alike: %s', (name, alike) => {
  expect(foldsAlike(name)).toBe(alike);
});
