import { describe, expect, it } from 'vitest';
import { compareDays, doubledIn, isExact } from './compare-days.ts';

const day = { dt: '2019-11-30', rows: '10', places: '10', ages: '300', hash: '77' };
const next = { ...day, dt: '2019-12-01' };

describe('compareDays', () => {
  it('the same sums are exact, and a reader without a hash is not compared by it', () => {
    expect(isExact(compareDays([day, next], [next, day]))).toBe(true);
    const { hash: _, ...plain } = day;
    expect(isExact(compareDays([day], [plain]))).toBe(true);
  });

  it.each([
    ['a lost row', [{ ...day, rows: '9', places: '9', ages: '280' }, next], { lost: 1, doubled: 0, altered: 0 }],
    ['a doubled row', [{ ...day, rows: '11', ages: '330' }, next], { lost: 0, doubled: 1, altered: 0 }],
    ['a row in the place of another', [{ ...day, rows: '10', places: '9', ages: '299' }, next], { lost: 1, doubled: 1, altered: 0 }],
    ['a row of nowhere', [{ ...day, rows: '11', places: '11' }, next], { lost: 0, doubled: 1, altered: 0 }],
    ['a lost day', [day], { lost: 10, doubled: 0, altered: 0 }],
    ['another value', [day, { ...next, hash: '78' }], { lost: 0, doubled: 0, altered: 1 }],
  ])('%s is found', (_, answered, difference) => {
    expect(compareDays([day, next], answered)).toEqual(difference);
  });

  it('doubledIn finds doubled rows without the base', () => {
    expect([doubledIn([day, next]), doubledIn([day, { ...next, rows: '12' }])]).toEqual([0, 2]);
  });
});
