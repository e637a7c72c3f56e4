import { Metrics } from '@millrace/runtime';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { consumerTelemetry, gaugeConsumer } from './consumer-telemetry.ts';

async function seriesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  return (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(name))
    .map((line) => line.replaceAll(',service="sink"', '').replaceAll('{service="sink"}', ''));
}

it('the lag is reported to the taken and to the landed offset, and is never below 0', async () => {
  const metrics = new Metrics('sink');
  // Kafka was asked before the lane took the last records of partition 1.
  const all = [
    { partition: 0, end: 10, taken: 7, landed: 2, stalledMs: 1500 },
    { partition: 1, end: 10, taken: 12, landed: 10, stalledMs: 0 },
  ];
  gaugeConsumer(metrics, { all }, () => false);
  expect(await seriesOf(metrics, 'millrace_sink_lag_records{')).toEqual([
    'millrace_sink_lag_records{partition="0",stage="taken"} 3',
    'millrace_sink_lag_records{partition="0",stage="landed"} 8',
    'millrace_sink_lag_records{partition="1",stage="taken"} 0',
    'millrace_sink_lag_records{partition="1",stage="landed"} 0',
  ]);
  expect(await seriesOf(metrics, 'millrace_sink_stalled_seconds{')).toEqual([
    'millrace_sink_stalled_seconds{partition="0"} 1.5',
    'millrace_sink_stalled_seconds{partition="1"} 0',
  ]);
  expect(await seriesOf(metrics, 'millrace_sink_group_joined')).toEqual(['millrace_sink_group_joined 0']);
});

it('a partition that went to another member leaves no series behind', async () => {
  const metrics = new Metrics('sink');
  const lag = { all: [{ partition: 0, end: 10, taken: 7, landed: 2, stalledMs: 0 }] };
  gaugeConsumer(metrics, lag, () => true);
  expect(await seriesOf(metrics, 'millrace_sink_end_offset{')).toHaveLength(1);
  lag.all = [];
  expect(await seriesOf(metrics, 'millrace_sink_end_offset{')).toEqual([]);
});

it('a crash is counted and logged with its cause, and as an error with the remedy for an operator', async () => {
  const lines: { level: number; msg: string }[] = [];
  const metrics = new Metrics('sink');
  const telemetry = consumerTelemetry(
    pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line) as { level: number; msg: string }) }),
    metrics,
  );
  expect(await seriesOf(metrics, 'millrace_sink_consumer_crashes_total')).toEqual(['millrace_sink_consumer_crashes_total 0']);
  const error = new Error('no more retries', { cause: new Error('a header is null') });
  telemetry.onCrash({ error, inARow: 2, needsOperator: false });
  telemetry.onCrash({ error, inARow: 3, needsOperator: true });
  expect(await seriesOf(metrics, 'millrace_sink_consumer_crashes_total')).toEqual(['millrace_sink_consumer_crashes_total 2']);
  expect(lines.map(({ level }) => level)).toEqual([40, 50]);
  expect(lines[0]!.msg).toBe('The consumer crashed; the sink starts a new one: no more retries: a header is null.');
  expect(lines[1]!.msg).toContain('crashed 3 times in a row: no more retries: a header is null.');
  expect(lines[1]!.msg).toContain('docs/operations.md');
});
