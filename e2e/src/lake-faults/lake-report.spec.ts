import { describe, expect, it } from 'vitest';
import { planLakeFaults } from './lake-fault-plan.ts';
import { countKinds, lakeFailures, lakeReportText, upperBound, type LakeFaultReport, type LakeRound } from './lake-report.ts';

const none = { count: 0, named: [] };
const exact = { lost: 0, doubled: 0, altered: 0 };
const readers = ['query API', 'DuckDB by catalog', 'DuckDB by path', 'pyiceberg'];
const round: LakeRound = {
  base: { acknowledged: 9, logRecords: 9, rows: 9, files: 3, lost: none, duplicated: none, unexplained: none },
  baseFilesGone: 0,
  readers: Object.fromEntries(readers.map((name) => [name, { difference: exact }])),
  underFaults: { answers: { 'query API': 4, pyiceberg: 1 }, compared: 4, difference: exact, failures: [] },
  audit: { complete: true, said: 'The table is complete.', ms: 1 },
};
const found = { readers, audit: true };
const good: LakeFaultReport = {
  seed: 1,
  date: '2026-11-30',
  conditions: 'none',
  faultsPlanned: 30,
  faultsPerRound: 15,
  faults: planLakeFaults({ faults: 30, seed: 1, projectors: 2 }).map((fault, n) => ({
    ...fault,
    n,
    atMs: n,
    hit: n > 0,
    inFlight: 'commit',
  })),
  rounds: [round, round],
  commits: { appends: 5, merges: 2, expiries: 1 },
  deleted: { metadata: 7, data: 1 },
  slowestReadMs: { 'query API': 80, pyiceberg: 900 },
  planted: { lost: found, doubled: found, gone: found, healed: true },
  killedRebuilds: [{ step: 'commit', applied: true, struck: true, exact: true }],
  unexpectedEnds: 0,
  seconds: 60,
};

describe('lakeFailures', () => {
  it('a run that meets each claim has no failure', () => {
    expect(lakeFailures(good)).toEqual([]);
  });

  it.each([
    ['the base does not hold', { base: { ...round.base, lost: { count: 1, named: ['event 7'] } } }],
    ['2 files of the base are gone', { baseFilesGone: 2 }],
    ['readers disagree', { readers: { ...round.readers, pyiceberg: { difference: { ...exact, lost: 1 } } } }],
    ['readers disagree', { readers: { ...round.readers, pyiceberg: { failure: 'NoSuchKey' } } }],
    ['answers under faults differ', { underFaults: { ...round.underFaults, difference: { ...exact, doubled: 1 } } }],
    ['1 reads failed', { underFaults: { ...round.underFaults, failures: [{ reader: 'query API', message: 'gone' }] } }],
    ['the audit does not call', { audit: { ...round.audit, complete: false } }],
  ])('a round fails: %s', (text, flaw) => {
    expect(lakeFailures({ ...good, rounds: [round, { ...round, ...flaw }] })).toEqual([expect.stringContaining(`round 2: ${text}`)]);
  });

  it.each([
    ['no round was counted', { rounds: [] }],
    ['no appends or no merges', { commits: { ...good.commits, merges: 0 } }],
    ['not found: lost', { planted: { ...good.planted!, lost: { ...found, audit: false } } }],
    ['not found: doubled', { planted: { ...good.planted!, doubled: { ...found, readers: ['query API'] } } }],
    ['not found: gone', { planted: { ...good.planted!, gone: { readers: [], audit: true } } }],
    ['not exact after the planted', { planted: { ...good.planted!, healed: false } }],
    ['left another table', { killedRebuilds: [{ ...good.killedRebuilds[0]!, exact: false }] }],
    ['not killed at its call', { killedRebuilds: [{ ...good.killedRebuilds[0]!, struck: false }] }],
    ['1 projectors ended by themselves', { unexpectedEnds: 1 }],
  ])('a run fails: %s', (text, flaw) => {
    expect(lakeFailures({ ...good, ...flaw })).toEqual([expect.stringContaining(text)]);
  });

  it('a run without planted violations proves nothing', () => {
    const { planted: _, ...unplanted } = good;
    expect(lakeFailures(unplanted)).toHaveLength(4);
  });
});

describe('lakeReportText', () => {
  it('the report states the command, the faults that struck, the answers and the bound', () => {
    const text = lakeReportText(good);
    expect(text).toContain('./millrace verify lake --faults 30 --seed 1 --round 15');
    expect(text).toContain('29 of 30 faults struck');
    expect(text).toContain('query API                8, the slowest in 80 ms');
    expect(text).toContain(`At most ${(upperBound(29) * 100).toFixed(2)} % of faults`);
    expect(text).toContain('Passed.');
    expect(countKinds(good.faults).get('killed')).toEqual({ planned: 2, struck: 2 });
  });
});

describe('upperBound', () => {
  it('500 trials without a violation bound the rate at 0.60 %, and no trial bounds nothing', () => {
    expect(upperBound(500) * 100).toBeCloseTo(0.597, 3);
    expect(upperBound(0)).toBe(1);
  });
});
