import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultKinds, planFaults } from './fault-plan.ts';
import { commandText, holds, kindsText, plannedKinds, type CrashReport } from './report.ts';
import { sumText } from './sum.ts';

const folder = join(import.meta.dirname, '../../../docs/crash-matrix');
const kept = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CrashReport);
const document = readFileSync(join(folder, '../crash-matrix.md'), 'utf8');

const clean = {
  acknowledged: 3,
  logRecords: 3,
  rows: 3,
  files: 1,
  lost: { count: 0, named: [] },
  duplicated: { count: 0, named: [] },
  unexplained: { count: 0, named: [] },
};
const complete = { complete: true, said: 'The table is complete.', ms: 1 };
const good: CrashReport = {
  seed: 1,
  date: '2026-11-25',
  conditions: 'none',
  kinds: ['s3-409', 'disk-full'],
  faultsPlanned: 20,
  faultsPerRound: 10,
  faults: planFaults({ faults: 20, seed: 1, sinks: 2, kinds: ['s3-409', 'disk-full'] }).map((fault, n) => ({
    ...fault,
    n,
    atMs: n,
    hit: true,
    inFlight: 'something',
  })),
  verdicts: [clean, clean],
  audits: [complete, complete],
  planted: { lossCaught: true, duplicateCaught: true },
  audit: complete,
  unexpectedEnds: 0,
  clientRetries: 0,
  seconds: 60,
};

describe('crash matrix reports', () => {
  it.each(kept)('the published report of seed $seed matches the plan of its seed, number and kinds', (report) => {
    const { faultsPlanned = report.faults.length } = report;
    const plan = planFaults({ faults: faultsPlanned, seed: report.seed, sinks: 2, kinds: plannedKinds(report) });
    expect(report.faults.map(({ kind, sink, step, applied, pauseMs, downMs }) => ({ kind, sink, step, applied, pauseMs, downMs }))).toEqual(
      plan.slice(0, report.faults.length),
    );
  });

  it.each(kept)('the document states the command of the published report of seed $seed', (report) => {
    const [faults, kinds] = commandText(report).split(' --kinds ');
    const told = document.split('\n').filter((line) => `${line} `.startsWith(`${faults} `));
    expect(told.map((line) => line.split(' --kinds ')[1])).toEqual([kinds]);
  });

  it('commandText names the command of the plan, with the kinds unless it has all', () => {
    expect(commandText(good)).toBe('./millrace crash-matrix --faults 20 --seed 1 --round 10 --kinds s3-409,disk-full');
    expect(commandText({ ...good, kinds: faultKinds })).toBe('./millrace crash-matrix --faults 20 --seed 1 --round 10');
    // A run that ended early, after a faulty round, was planned with more faults and in another order.
    expect(commandText({ ...good, kinds: faultKinds, faults: good.faults.slice(0, 10) })).toBe(
      './millrace crash-matrix --faults 20 --seed 1 --round 10',
    );
    expect(kindsText({ ...good, kinds: faultKinds.filter((kind) => kind !== 'kafka-killed') })).toBe('all but kafka-killed');
  });

  it.each([
    ['a round that the audit does not call complete', { audits: [{ ...complete, complete: false }, complete] }],
    ['a round that is not clean', { verdicts: [{ ...clean, lost: { count: 1, named: ['event 7'] } }, clean] }],
    ['a planted loss that the checker missed', { planted: { lossCaught: false, duplicateCaught: true } }],
    ['a table that is not complete in the end', { audit: { ...complete, complete: false } }],
    ['a sink that ended by itself', { unexpectedEnds: 1 }],
  ])('a report with %s fails', (_, flaw) => {
    expect([holds(good), holds({ ...good, ...flaw })]).toEqual([true, false]);
  });

  it('sumText also includes the reports of the first runs, which have fewer fields', () => {
    const sum = sumText([...kept, good]);
    expect(sum).toContain(
      '| 1 | 2026-11-25 | s3-409, disk-full | 20 | 10 | 20 | 2 | 3 | 0 | 0 | 0 | clean | both | 2 of 2 complete | complete | 0 | 1 |',
    );
    expect(sum).toContain(
      '| 106 | 2026-11-25 | sink-frozen | 18 | ? | 18 | 1 | 50795 | 0 | 0 | 0 | clean | both | none | complete | 0 | 4 |',
    );
  });
});
