import { describe, expect, it } from 'vitest';
import { compare, isClean, type Evidence } from './compare.ts';

const rows = (
  partition: number,
  events: readonly [offset: number, number: number][],
): Evidence['files'] extends ReadonlyMap<string, infer F> ? F : never => events.map(([offset, number]) => ({ number, partition, offset }));

function evidence(files: Record<string, Evidence['files'] extends ReadonlyMap<string, infer F> ? F : never>): Evidence {
  // Event 2 was posted twice: its client had no answer the first time. Event 5 never got a receipt.
  return {
    log: [
      [0, 1, 2, 2, 5],
      [3, 4],
    ],
    files: new Map(Object.entries(files)),
    isAcknowledged: (number) => number !== 5,
    sent: 6,
  };
}

const whole = {
  a: rows(0, [
    [0, 0],
    [1, 1],
    [2, 2],
  ]),
  b: rows(0, [[4, 5]]),
  c: rows(1, [
    [0, 3],
    [1, 4],
  ]),
};

describe('the comparison of log and table', () => {
  it('compare finds no fault when every event has one row', () => {
    const verdict = compare(evidence(whole));
    expect(verdict).toMatchObject({ acknowledged: 5, logRecords: 7, rows: 6, files: 3 });
    expect(isClean(verdict)).toBe(true);
  });

  it('compare finds a planted loss', () => {
    const { b: _, ...files } = whole;
    const verdict = compare(
      evidence({
        ...files,
        a: rows(0, [
          [0, 0],
          [2, 2],
        ]),
      }),
    );
    expect(verdict.lost).toEqual({ count: 1, named: ['event 1'] });
    // The record without a receipt is not a loss. It is unexplained, because it is in the log.
    expect(verdict.unexplained.count).toBe(2);
    expect(isClean(verdict)).toBe(false);
  });

  it('compare finds a planted duplicate of a file', () => {
    expect(compare(evidence({ ...whole, copy: whole.c })).duplicated.count).toBe(2);
  });

  it('compare finds the same event at two offsets', () => {
    const verdict = compare(evidence({ ...whole, again: rows(0, [[3, 2]]) }));
    expect(verdict.duplicated).toEqual({ count: 1, named: ['event 2 once more, offset 3 of partition 0 in again'] });
  });

  it('compare finds a row that the log does not hold', () => {
    expect(compare(evidence({ ...whole, foreign: rows(1, [[7, 1]]) })).unexplained.count).toBe(1);
  });
});
