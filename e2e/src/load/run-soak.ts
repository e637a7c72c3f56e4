import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnService } from '@millrace/testing';
import { stack } from '../stack.ts';
import type { PhaseResult } from './generator/open-load.ts';
import type { LoadContext, ProfileFindings } from './load-context.ts';
import { judgeFlat, type TimedValue } from './measure/trend.ts';
import { judge, judgeThreshold, type Judged } from './measure/threshold.ts';
import { soak } from './profiles.ts';

/** Length of a soak. */
export interface SoakOptions {
  readonly seconds: number;
  /** Time between two rebalances: a second sink joins the group, works, and leaves. */
  readonly rebalanceEverySeconds: number;
}

/**
 * Usual work for a long time. A second sink joins the group and leaves it again and again. Heap, memory, open files, lag and p99 must not
 * grow.
 */
export async function runSoak(context: LoadContext, { seconds, rebalanceEverySeconds }: SoakOptions): Promise<ProfileFindings> {
  const { phases, thresholds } = soak(seconds);
  const ended = new AbortController();
  const rebalancing = rebalance(context, rebalanceEverySeconds * 1000, ended.signal);
  const results: PhaseResult[] = [];
  try {
    for (const phase of phases) results.push(await context.run(phase));
  } finally {
    ended.abort();
    await rebalancing.catch(() => undefined);
  }
  const rebalances = await rebalancing;
  return {
    judged: [
      ...thresholds.map((threshold) => judgeThreshold(threshold, results)),
      judge('rebalances', rebalances, { atLeast: 1 }),
      ...growthOfServices(context),
      growthOfP99(results),
    ],
  };
}

async function rebalance({ signal }: LoadContext, everyMs: number, ended: AbortSignal): Promise<number> {
  const stopping = AbortSignal.any([signal, ended]);
  const wait = async (): Promise<unknown> => await pause(everyMs / 2, undefined, { signal: stopping }).catch(() => undefined);
  for (let count = 0; ; count += 1) {
    await wait();
    if (stopping.aborted) return count;
    const second = await spawnService('sink', { SINK_SPOOL_DIR: join(stack.home, 'soak-spool') });
    await wait();
    await second.kill();
  }
}

function growthOfServices({ samples }: LoadContext): Judged[] {
  return Object.entries(samples.series).flatMap(([service, { heapMb, rssMb, openFiles, lagRecords }]) => [
    judgeFlat(`the heap of ${service} in MB`, heapMb, 0.1, 10),
    judgeFlat(`the memory of ${service} in MB`, rssMb, 0.1, 10),
    judgeFlat(`the open files of ${service}`, openFiles, 0, 5),
    ...(service === 'sink' ? [judgeFlat('the lag of the sink in records', lagRecords, 0.1, 1000)] : []),
  ]);
}

function growthOfP99(results: readonly PhaseResult[]): Judged {
  const points = results.flatMap((result) => result.points.purchase ?? []);
  const series = points.flatMap(({ second, p99Ms }): TimedValue[] => (p99Ms === undefined ? [] : [[second, p99Ms]]));
  return judgeFlat('the p99 of purchase in ms', series, 0.25, 10);
}
