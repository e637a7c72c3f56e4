import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { purchases } from '@millrace/contracts';
import { spawnService, stackPart, type ServiceProcess } from '@millrace/testing';
import kafkajs from 'kafkajs';
import { readMetrics } from '../metrics.ts';
import { isClean, type Verdict } from '../proof/compare.ts';
import { EventNumbers } from '../proof/event-number.ts';
import { Judge } from '../proof/judge.ts';
import { median } from '../proof/median.ts';
import { PurchaseFlow } from '../proof/purchase-flow.ts';
import { drainMsMax, outageFailures, type OutageFigures } from './outage-failures.ts';

/** Measurements of an outage, and the requirements that it did not meet. */
export type OutageReport = OutageFigures & { readonly failures: readonly string[] };

const warmUpMs = 20_000;
const metricsMsMax = 5000;

/** Stops S3 while purchases flow, starts it again, and counts. Runs on the stack of its environment, where no service is up. */
export async function runS3Outage({
  outageMs,
  rate,
  conditions,
  tell,
}: {
  readonly outageMs: number;
  readonly rate: number;
  readonly conditions: string;
  readonly tell: (line: string) => void;
}): Promise<OutageReport> {
  const { KAFKA_BROKERS: brokers = '', AWS_ENDPOINT_URL: endpoint = '', LAKE_BUCKET: bucket = '' } = process.env;
  const aws = stackPart('aws');
  const numbers = new EventNumbers(Date.now() & 0xffffffff);
  const purchase = await spawnService('purchase', {});
  const sink = await spawnService('sink', { SINK_FLUSH_SECONDS: '10' });
  const flow = new PurchaseFlow({
    purchaseUrl: purchase.url,
    numbers,
    rate,
    itemsPerRequest: 100,
    requestsMax: 64,
    days: 2,
    random: Math.random,
  });
  try {
    flow.start();
    await pause(warmUpMs);
    tell(`S3 stops; ${flow.acknowledged} purchases acknowledged so far`);
    await aws.stop();
    const away = { since: performance.now(), acknowledged: flow.acknowledged };

    const rss: number[] = [];
    const end = performance.now() + outageMs;
    while (performance.now() < end) {
      await pause(Math.min(5000, Math.max(0, end - performance.now())));
      rss.push(rssMbOf(sink.pid));
      if (rss.length % 6 === 0)
        tell(
          `  ${Math.round((end - performance.now()) / 1000)} s to go: ${flow.acknowledged} acknowledged, ${await spoolText(sink)}, ${rss.at(-1)} MB`,
        );
    }

    const ratePerSecond = ((flow.acknowledged - away.acknowledged) / (performance.now() - away.since)) * 1000;
    await aws.start();
    const back = performance.now();
    const acknowledgedBefore = flow.acknowledged;
    const owed = await ends(brokers);
    const landedBefore = sum((await landed(sink)).values());
    tell(`S3 is back; ${sum(owed.values()) - landedBefore} events are owed`);
    let drainedMs = Infinity;
    let drained = landedBefore;
    while (performance.now() - back < drainMsMax) {
      await pause(500);
      const now = await landed(sink);
      drained = sum(now.values());
      if (![...owed].every(([partition, offset]) => (now.get(partition) ?? 0) >= offset)) continue;
      drainedMs = performance.now() - back;
      break;
    }
    const drainingMs = Math.min(drainedMs, performance.now() - back);
    const liveRatePerSecond = ((flow.acknowledged - acknowledgedBefore) / drainingMs) * 1000;
    await flow.stop();
    tell(`Drained after ${(drainedMs / 1000).toFixed(1)} s; counting …`);

    const s3 = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 5 });
    const judge = new Judge({
      s3,
      bucket,
      table: purchases.table,
      brokers: brokers.split(','),
      topic: purchases.topic.name,
      partitions: purchases.topic.partitions,
      numbers,
    });
    let verdict: Verdict;
    const late = performance.now() + 60_000;
    do {
      await pause(1000);
      verdict = await judge.verdict((number) => flow.isAcknowledged(number), flow.sent);
    } while (!isClean(verdict) && performance.now() < late);
    const third = Math.max(1, Math.floor(rss.length / 3));
    const rssMb = { first: median(rss.slice(0, third)), last: median(rss.slice(-third)), max: Math.max(...rss) };
    const figures: OutageFigures = {
      conditions,
      sent: flow.sent,
      rateAsked: rate,
      ratePerSecond,
      behindMs: Math.round(flow.behindMs),
      clientRetries: flow.retries,
      drainedMs,
      drainRowsPerSecond: ((drained - landedBefore) / drainingMs) * 1000,
      liveRatePerSecond,
      rssMb,
      verdict,
    };
    return { ...figures, failures: outageFailures(figures) };
  } finally {
    await Promise.all([purchase.kill(), sink.kill()]);
  }
}

async function ends(brokers: string): Promise<Map<number, number>> {
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return new Map((await admin.fetchTopicOffsets(purchases.topic.name)).map(({ partition, high }) => [partition, Number(high)]));
  } finally {
    await admin.disconnect();
  }
}

async function landed(sink: ServiceProcess): Promise<Map<number, number>> {
  const lines = (await readMetrics(sink.url, metricsMsMax)).matchAll(
    /^millrace_sink_lane_offset\{(?=[^}]*stage="landed")[^}]*partition="(\d+)"[^}]*\} (\S+)$/gm,
  );
  return new Map([...lines].map(([, partition, offset]) => [Number(partition), Number(offset)]));
}

async function spoolText(sink: ServiceProcess): Promise<string> {
  const metrics = await readMetrics(sink.url, metricsMsMax);
  const value = (name: string): number => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
  return `${value('millrace_sink_spool_batches')} batches of ${(value('millrace_sink_spool_bytes') / 1024 / 1024).toFixed(0)} MB in the spool`;
}

function rssMbOf(pid: number): number {
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
