import { setTimeout as pause } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { purchases } from '@millrace/contracts';
import { spawnService, type ServiceProcess } from '@millrace/testing';
import { isClean, type Verdict } from '../proof/compare.ts';
import { EventNumbers } from '../proof/event-number.ts';
import { Judge } from '../proof/judge.ts';
import { PurchaseFlow } from '../proof/purchase-flow.ts';
import { StallClock } from './stall-clock.ts';

/** One change of the group. */
export interface GroupChange {
  readonly what: string;
  /** The longest stall of each partition, from the change until all went on again, in milliseconds. */
  readonly stallsMs: readonly number[];
}

/** Measurements of the changes. */
export interface RebalanceReport {
  readonly conditions: string;
  readonly rate: number;
  readonly changes: readonly GroupChange[];
  readonly verdict: Verdict;
  /** Requirements that were not met, one sentence each. */
  readonly failures: readonly string[];
}

/** Maximum stall of a partition, in milliseconds. */
export const stallMsMax = 10_000;

const partitions = Array.from({ length: purchases.topic.partitions }, (_, partition) => partition);
// Longer than the session of 6 s after which the group gives up on a member that was killed.
const watchMsMin = 15_000;
const waitMsMax = 90_000;

/**
 * Measures the stall of each partition while a group of sinks changes. The group grows from one to three and shrinks to one,
 * by a stop and by a kill, while purchases flow. It runs on the stack of its environment, where no service may run.
 */
export async function runSinkRebalance({
  rate,
  conditions,
  tell,
}: {
  readonly rate: number;
  readonly conditions: string;
  readonly tell: (line: string) => void;
}): Promise<RebalanceReport> {
  const { KAFKA_BROKERS: brokers = '', AWS_ENDPOINT_URL: endpoint = '', LAKE_BUCKET: bucket = '', MILLRACE_HOME: home = '' } = process.env;
  const numbers = new EventNumbers(Date.now() & 0xffffffff);
  const purchase = await spawnService('purchase', {});
  const flow = new PurchaseFlow({
    purchaseUrl: purchase.url,
    numbers,
    rate,
    itemsPerRequest: 50,
    requestsMax: 64,
    days: 2,
    random: Math.random,
  });
  const sinks: ServiceProcess[] = [];
  const clock = new StallClock();
  const stopping = new AbortController();
  const watching = watch(sinks, clock, stopping.signal);
  const allMovedSince = (since: number): boolean => clock.movedSince(since).length === partitions.length;

  // The buffering hint is the default: the next owner takes again the events that the last one has not sealed.
  const join = async (): Promise<void> => {
    const sink = await spawnService(
      'sink',
      { SINK_FLUSH_SECONDS: '60', SINK_SPOOL_DIR: `${home}/sink-${sinks.length + 1}-spool` },
      { until: 'live' },
    );
    sinks.push(sink);
    if (!(await until(async () => (await takenBy(sink)).length > 0)))
      throw new Error(`a sink that joined was given no partition within ${waitMsMax / 1000} s`);
  };
  const changes: GroupChange[] = [];
  const measure = async (what: string, change: () => Promise<unknown>): Promise<void> => {
    clock.takeLongest(performance.now());
    await change();
    const changed = performance.now();
    await pause(watchMsMin);
    await until(() => allMovedSince(changed));
    const longest = clock.takeLongest(performance.now());
    const stallsMs = partitions.map((partition) => Math.round(longest.get(partition) ?? Infinity));
    changes.push({ what, stallsMs });
    tell(
      `${what}: the longest stall of each partition: ${stallsMs.map((ms, partition) => `${partition}: ${(ms / 1000).toFixed(1)} s`).join(', ')}`,
    );
  };

  try {
    flow.start();
    await join();
    await until(() => allMovedSince(0));
    tell(`One sink takes all ${partitions.length} partitions, at ${rate} purchases a second`);
    await measure('nothing changes', async () => undefined);
    await measure('1 → 2 sinks, one joins', join);
    await measure('2 → 3 sinks, one joins', join);
    await measure('3 → 2 sinks, one is stopped', async () => await sinks[2]!.kill('SIGTERM'));
    await measure('2 → 1 sinks, one is killed', async () => await sinks[1]!.kill('SIGKILL'));
    await flow.stop();
    tell('Counting …');
    const s3 = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 5 });
    const judge = new Judge({
      s3,
      bucket,
      table: purchases.table,
      brokers: brokers.split(','),
      topic: purchases.topic.name,
      partitions: partitions.length,
      numbers,
    });
    const count = async (): Promise<Verdict> => await judge.verdict((number) => flow.isAcknowledged(number), flow.sent);
    let verdict = await count();
    // Open batches land at their age limit.
    await until(async () => isClean(verdict) || isClean((verdict = await count())));
    return { conditions, rate, changes, verdict, failures: rebalanceFailures(changes, verdict) };
  } finally {
    stopping.abort();
    await watching;
    await Promise.all([purchase, ...sinks].map(async (service) => (service.exit === undefined ? await service.kill() : undefined)));
  }
}

/** Lists the requirements that the changes of a group did not meet, one sentence each. */
export function rebalanceFailures(changes: readonly GroupChange[], verdict: Verdict): string[] {
  return [
    ...changes.flatMap(({ what, stallsMs }) => {
      const longest = Math.max(...stallsMs);
      return longest <= stallMsMax
        ? []
        : [
            `${what}: partition ${stallsMs.indexOf(longest)} stood still for ${(longest / 1000).toFixed(1)} s, and ${stallMsMax / 1000} s are allowed`,
          ];
    }),
    ...(isClean(verdict) ? [] : ['purchases were lost, duplicated or unexplained']),
  ];
}

async function watch(sinks: readonly ServiceProcess[], clock: StallClock, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    for (const { partition, offset } of (await Promise.all(sinks.map(takenBy))).flat()) clock.read(partition, offset, performance.now());
    await pause(100);
  }
}

/** False when it takes longer than {@link waitMsMax}. */
async function until(isOver: () => boolean | Promise<boolean>): Promise<boolean> {
  const late = performance.now() + waitMsMax;
  while (!(await isOver())) {
    if (performance.now() > late) return false;
    await pause(100);
  }
  return true;
}

// A sink that has ended, or does not answer yet, takes nothing.
async function takenBy(sink: ServiceProcess): Promise<{ readonly partition: number; readonly offset: number }[]> {
  if (sink.exit !== undefined) return [];
  const metrics = await fetch(`${sink.url}/metrics`, { signal: AbortSignal.timeout(2000) }).then(
    async (answer) => await answer.text(),
    () => '',
  );
  const lines = metrics.matchAll(/^millrace_sink_lane_offset\{(?=[^}]*stage="taken")[^}]*partition="(\d+)"[^}]*\} (\d+)$/gm);
  return [...lines].map(([, partition, offset]) => ({ partition: Number(partition), offset: Number(offset) }));
}
