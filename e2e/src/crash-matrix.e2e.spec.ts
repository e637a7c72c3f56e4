import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCrashMatrix } from './crash/crash-matrix.ts';
import { faultKinds } from './crash/fault-plan.ts';
import { isClean } from './proof/compare.ts';
import { createTopic, deleteTopic } from './topic.ts';

let topic: string;

beforeAll(async () => void (topic = await createTopic('e2e-crash-matrix')));
afterAll(async () => await deleteTopic(topic));

it('a short run of the crash matrix loses and duplicates no event, explains each record, and finds the planted faults', async () => {
  const kinds = faultKinds.filter((kind) => kind !== 'kafka-killed');
  const report = await runCrashMatrix({
    faults: kinds.length,
    seed: 5,
    faultsPerRound: kinds.length,
    conditions: 'the test command',
    kinds,
    place: { topic, table: `purchases_${randomUUID().slice(0, 8)}` },
    tell: (line) => void process.stdout.write(`${line}\n`),
  });
  expect(report.verdicts.filter((verdict) => !isClean(verdict))).toEqual([]);
  expect(report.audits).toMatchObject([{ complete: true }]);
  expect(report.verdicts[0]!.acknowledged).toBeGreaterThan(100);
  expect(report).toMatchObject({ planted: { lossCaught: true, duplicateCaught: true }, audit: { complete: true }, unexpectedEnds: 0 });
  // The number of faults that strike depends on the work in flight. A run in which no fault strikes proves nothing.
  expect(report.faults.filter(({ hit }) => hit).length).toBeGreaterThan(kinds.length / 2);
}, 420_000);
