import type { Flow, FlowPipeline, FlowProcess } from '@millrace/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf } from '../../runbook/markdown-blocks.ts';
import { problemsOf } from './problems.ts';
import { runbookSections, sectionOf } from './runbook-sections.ts';
import { processesOf, rateOf, sumOf } from './samples.ts';

const pipeline: FlowPipeline = { name: 's3', dependency: 's3', inFlight: 0, calls: 9, failed: 0, retries: 0, rejected: 0, shed: 0 };
const circuit = { mode: 'auto', state: 'closed', since: '2026-11-30T10:00:00.000Z', calls: 9, failures: 9, failureRatio: 1 } as const;

function flowOf(second: number, ...processes: Partial<FlowProcess>[]): Flow {
  const base: FlowProcess = { name: 'sink', status: 'ready', dependencies: [], samples: [], pipelines: [] };
  return { at: new Date(second * 1000).toISOString(), processes: processes.map((process) => ({ ...base, ...process })) };
}

const landed = (value: number): Partial<FlowProcess> => ({ samples: [{ name: 'millrace_sink_rows_landed_total', labels: {}, value }] });

describe('the numbers of the flow', () => {
  it('a rate is the growth of all processes by the second', () => {
    const [before, now] = [flowOf(10, landed(100), landed(50)), flowOf(12, landed(140), landed(60))];
    expect(rateOf(before, now, 'millrace_sink_rows_landed_total')).toBe(25);
    expect(sumOf(now, 'millrace_none')).toBeUndefined();
  });

  it('a rate is not known for the first reading and after a restart', () => {
    expect(rateOf(undefined, flowOf(12, landed(140)), 'millrace_sink_rows_landed_total')).toBeUndefined();
    expect(rateOf(flowOf(10, landed(140)), flowOf(12, landed(3)), 'millrace_sink_rows_landed_total')).toBeUndefined();
  });

  it('the processes of a service are those with its name and a number', () => {
    const flow = flowOf(1, { name: 'query-api' }, { name: 'query-worker' }, { name: 'sink-2' }, { name: 'sink' });
    expect(processesOf(flow, 'sink').map(({ name }) => name)).toEqual(['sink-2', 'sink']);
  });
});

describe('the problems of the flow', () => {
  it('a flow without trouble has none', () => {
    expect(problemsOf(flowOf(1, { pipelines: [{ ...pipeline, circuit }] }))).toEqual([]);
  });

  it('the worst problems come first', () => {
    const flow = flowOf(
      1,
      { status: 'degraded', dependencies: [{ name: 's3', required: false, status: 'down', since: '2026-11-30T10:00:00.000Z' }] },
      { name: 'purchase', status: 'unreachable' },
      { name: 'query-api', pipelines: [{ ...pipeline, circuit: { ...circuit, state: 'open' } }] },
      { name: 'projector', pipelines: [{ ...pipeline, circuit: { ...circuit, mode: 'forced-open' } }] },
    );
    expect(problemsOf(flow).map(({ severity, what }) => `${severity}: ${what}`)).toEqual([
      'bad: purchase does not answer.',
      'bad: query-api: the circuit s3 is open, 9 of 9 calls failed.',
      'warn: sink: s3 is down.',
      'warn: projector: an operator set the circuit s3 to forced-open.',
    ]);
  });

  it('each section that a problem points to is in the runbook', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../../../docs/operations.md'), 'utf8');
    const ids = new Set(blocksOf(text).flatMap((block) => ('id' in block ? [block.id] : [])));
    expect(Object.values(runbookSections).filter((section) => !ids.has(section))).toEqual([]);
    expect(['kafka', 's3', 'redis'].map(sectionOf)).toEqual(['kafka-is-down', 's3-is-down', 'outages']);
  });

  it('a spool that is nearly full is named with the time until it is full', () => {
    const samples = [
      { name: 'millrace_sink_spool_bytes', labels: {}, value: 90 },
      { name: 'millrace_sink_spool_bytes_max', labels: {}, value: 100 },
      { name: 'millrace_sink_spool_full_in_seconds', labels: {}, value: 300 },
    ];
    expect(problemsOf(flowOf(1, { samples })).map(({ what }) => what)).toEqual([
      'The spool of the sink is 90 % full, and will be full in 5 min 0 s.',
    ]);
  });
});
