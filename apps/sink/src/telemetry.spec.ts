import { readFileSync } from 'node:fs';
import { LakeError } from '@millrace/lake';
import { Metrics } from '@millrace/runtime';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { SinkError } from './errors.ts';
import type { Lane } from './lane/lane.ts';
import type { Lanes } from './lane/lanes.ts';
import { gaugeLanes, sinkTelemetry } from './telemetry.ts';
import { SpoolBudget } from './spool/budget/spool-budget.ts';
import { SpoolForecast } from './spool/budget/spool-forecast.ts';

it('the telemetry logs refused snapshots once for all lanes, and logs nothing for an unavailable store', () => {
  const lines: string[] = [];
  const observe = sinkTelemetry(pino({ level: 'warn' }, { write: (line) => void lines.push(line) }), new Metrics('sink'));
  observe({ type: 'SnapshotFailed', partition: 0, error: new LakeError('unavailable', 'no answer') });
  expect(lines).toEqual([]);
  for (const partition of [1, 2]) observe({ type: 'SnapshotFailed', partition, error: new LakeError('denied', 'no') });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('_windows/');
});

it('the telemetry counts a refusal and logs it only at debug, because the guard reports it at every attempt', async () => {
  const lines: string[] = [];
  const metrics = new Metrics('sink');
  const observe = sinkTelemetry(pino({ level: 'warn' }, { write: (line) => void lines.push(line) }), metrics);
  for (const code of ['denied', 'misconfigured', 'unavailable'] as const)
    observe({ type: 'StepFailed', partition: 0, step: 'stage', attempt: 0, error: new LakeError(code, code) });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('unavailable');
  expect(await metrics.text()).toMatch(/^millrace_sink_step_failures_total\{step="stage".*\} 3$/m);
});

function laneThat(state: Lane['state'], ...holds: string[]): Partial<Lane> {
  return { state, holds, partition: 0, position: 0, landed: 0 };
}

it('the telemetry counts the lanes by state, and an alert watches each state in which a lane takes nothing', async () => {
  const refused = { kind: 'refused', error: new SinkError('different-log', 'another log') } as const;
  const all = [
    laneThat({ kind: 'running' }),
    laneThat({ kind: 'running' }),
    laneThat({ kind: 'running' }, 'disk'),
    laneThat({ kind: 'starting' }, 'starting'),
    laneThat(refused, 'refused'),
  ];
  const metrics = new Metrics('sink');
  gaugeLanes(
    metrics,
    { all, orphans: { count: 0 } } as unknown as Lanes,
    new SpoolBudget({ bytesMax: 1, openSegmentsMax: 1 }, () => undefined),
    new SpoolForecast(),
  );
  const counted = [...(await metrics.text()).matchAll(/^millrace_sink_lanes\{state="(\w+)".*\} (\d+)$/gm)].map(([, state, count]) => [
    state,
    Number(count),
  ]);
  expect(counted).toEqual([
    ['running', 2],
    ['starting', 1],
    ['refused', 1],
    ['held', 1],
  ]);
  const rules = readFileSync(new URL('../../../docker/prometheus/rules.yaml', import.meta.url), 'utf8');
  const [, states] = /alert: MillraceLanesIdle\n\s+expr: sum by \(instance\) \(millrace_sink_lanes\{state=~"([\w|]+)"\}\) > 0\n/.exec(
    rules,
  )!;
  expect(states!.split('|').toSorted()).toEqual(['held', 'refused', 'starting']);
});

it('the telemetry forecasts 0 s for a full spool, even after encoding has freed some room', async () => {
  const budget = new SpoolBudget({ bytesMax: 100, openSegmentsMax: 1 }, () => undefined);
  const forecast = new SpoolForecast();
  const metrics = new Metrics('sink');
  gaugeLanes(metrics, { all: [], orphans: { count: 0 } } as unknown as Lanes, budget, forecast);
  const told = async (): Promise<number> => Number(/^millrace_sink_spool_full_in_seconds\S* (\S+)$/m.exec(await metrics.text())![1]);
  forecast.sample(0, budget.bytes);
  budget.add(50);
  forecast.sample(1000, budget.bytes);
  expect(await told()).toBe(1);
  budget.add(50);
  budget.exchange(50, 40);
  forecast.sample(2000, budget.bytes);
  expect(await told()).toBe(0);
});
