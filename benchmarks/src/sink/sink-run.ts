import { spawnService, waitUntil, type ServiceProcess, type TestTopic } from '@millrace/testing';
import { sumOf } from '../report/figures.ts';
import { processCost, type ProcessCost } from '../process/process-cost.ts';

/** Cost of a run from the start of consuming until everything is stored and committed. */
export interface RunCost extends ProcessCost {
  readonly seconds: number;
}

/** Cost of a run of the sink. */
export interface SinkCost extends RunCost {
  /** Longest time for which the event loop ran nothing else, in milliseconds. */
  readonly blockMs: number;
}

// Node's histogram includes the interval of the timer that it samples with.
const histogramResolutionMs = 10;

/**
 * Runs a real sink with its default settings until every record is landed and its offset is committed. When the sink has taken the last
 * record, it gets SIGTERM, so that it lands the open batches without waiting for their age.
 */
export async function runSink(topic: TestTopic, rows: number, env: Readonly<Record<string, string>>): Promise<SinkCost> {
  const group = env['SINK_GROUP_ID']!;
  const sink = await spawnService('sink', env, { until: 'live' });
  try {
    const started = await processCost(sink.pid);
    const start = performance.now();
    const blockMs = await untilTaken(sink, rows);
    let cost = await processCost(sink.pid);
    sink.signal('SIGTERM');
    let seconds = (performance.now() - start) / 1000;
    await waitUntil(
      'the sink to commit the last offset',
      async () => {
        cost = await processCost(sink.pid).catch(() => cost);
        seconds = (performance.now() - start) / 1000;
        return (await topic.committed(group)) === rows ? true : undefined;
      },
      { timeoutMs: 600_000, everyMs: 50 },
    );
    return { ...cost, cpuSeconds: cost.cpuSeconds - started.cpuSeconds, seconds, blockMs };
  } finally {
    await sink.kill();
  }
}

/** Waits until the sink has taken every record. Returns the longest block of its event loop. */
async function untilTaken(sink: ServiceProcess, rows: number): Promise<number> {
  let blockMs = 0;
  // Each scrape begins a new measurement; the first one covers the start of the process.
  await metricsOf(sink);
  const outcome = await waitUntil(
    'the sink to take every record',
    async () => {
      if (sink.exit !== undefined) return 'ended';
      const metrics = await metricsOf(sink);
      blockMs = Math.max(blockMs, sumOf(metrics, 'nodejs_eventloop_lag_max_seconds') * 1000 - histogramResolutionMs);
      return sumOf(metrics, 'millrace_sink_lane_offset', 'stage="taken"') >= rows ? 'taken' : undefined;
    },
    { timeoutMs: 1_800_000, everyMs: 500 },
  );
  if (outcome === 'ended') throw new Error(`the sink ended:\n${sink.output}`);
  return blockMs;
}

async function metricsOf(sink: ServiceProcess): Promise<string> {
  return await (await fetch(`${sink.url}/metrics`)).text();
}
