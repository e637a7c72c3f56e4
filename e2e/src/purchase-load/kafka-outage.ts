import { setTimeout as pause } from 'node:timers/promises';
import { spawnService, stackPart } from '@millrace/testing';
import { EventNumbers } from '../proof/event-number.ts';
import { median } from '../proof/median.ts';
import { AnswerTally } from './answer-tally.ts';
import { countEvents } from './count-events.ts';
import { drainMsMax, kafkaOutageFailures, type KafkaOutageFigures } from './kafka-outage-failures.ts';
import { PurchaseTraffic } from './purchase-traffic.ts';
import { PurchaseUnderTest } from './purchase-under-test.ts';

/** Measurements of an outage, and the requirements that it did not meet. */
export type KafkaOutageReport = KafkaOutageFigures & { readonly failures: readonly string[] };

/** How long Kafka is down, and the rate of purchases. */
export interface KafkaOutageOptions {
  readonly outageMs: number;
  /** Purchases a second. */
  readonly rate: number;
  readonly tell: (line: string) => void;
}

const warmUpMs = 15_000;
/** Purchases after the drain, to see that they go to Kafka again. */
const afterMs = 5000;
const clients = 256;
const sampleMs = 2000;
const tellEveryMs = 30_000;

/**
 * Kills Kafka while purchases flow, kills the purchase API in the middle of the outage, starts both again, and counts. Runs on the stack of
 * its environment, where no service is up.
 */
export async function runKafkaOutage({ outageMs, rate, tell }: KafkaOutageOptions): Promise<KafkaOutageReport> {
  const kafka = stackPart('kafka');
  const numbers = new EventNumbers(Date.now() & 0xffffffff);
  const purchase = await PurchaseUnderTest.start();
  const sink = await spawnService('sink', { SINK_FLUSH_SECONDS: '10' });
  const traffic = new PurchaseTraffic({ purchaseUrl: purchase.url, numbers, rate, clients });
  const kafkaPid = await kafka.pid();
  if (kafkaPid === undefined) throw new Error('Kafka was not started by this stack');
  const periods: AnswerTally[] = [];
  try {
    traffic.start();
    await pause(warmUpMs);
    process.kill(kafkaPid, 'SIGKILL');
    const { underWay } = traffic;
    periods.push(traffic.endPeriod());
    tell(`Kafka is killed; ${traffic.acknowledged} purchases acknowledged so far`);
    const away = { sinceMs: performance.now(), acknowledged: traffic.acknowledged };

    const rssMb = [await watch(outageMs / 2)];
    tell(`The purchase API is killed; ${traffic.acknowledged} acknowledged`);
    traffic.isServiceDown = true;
    const serviceAwayMs = await purchase.crash();
    traffic.isServiceDown = false;
    tell(`  it is ready again after ${(serviceAwayMs / 1000).toFixed(1)} s`);
    rssMb.push(await watch(Math.max(0, away.sinceMs + outageMs - performance.now())));
    const ratePerSecond = ((traffic.acknowledged - away.acknowledged) / (performance.now() - away.sinceMs - serviceAwayMs)) * 1000;
    const answers = traffic.endPeriod();
    periods.push(answers);

    await kafka.start();
    const backMs = performance.now();
    const acknowledgedBefore = traffic.acknowledged;
    const before = await purchase.outbox();
    tell(`Kafka is back; ${before.waiting} events of ${megabytes(before.bytes)} MB wait on disk`);
    let now = before;
    let drainedMs = Number.POSITIVE_INFINITY;
    while (drainedMs === Number.POSITIVE_INFINITY && performance.now() - backMs < drainMsMax) {
      await pause(100);
      now = await purchase.outbox();
      if (now.waiting === 0) drainedMs = performance.now() - backMs;
    }
    const drainSeconds = (performance.now() - backMs) / 1000;
    const drained = before.waiting + now.queued - before.queued - now.waiting;
    const liveRatePerSecond = (traffic.acknowledged - acknowledgedBefore) / drainSeconds;
    tell(
      `The outbox is ${now.waiting === 0 ? 'empty' : 'not empty'} after ${drainSeconds.toFixed(1)} s; ${drained} events were published from it`,
    );
    await pause(afterMs);
    await traffic.stop();
    periods.push(traffic.endPeriod());
    tell(`${traffic.acknowledged} purchases acknowledged; counting …`);

    const figures: KafkaOutageFigures = {
      sent: traffic.sent,
      rateAsked: rate,
      ratePerSecond,
      answers: {
        disk: answers.disk,
        kafka: answers.kafka,
        underWay,
        refused: answers.refused,
        unanswered: answers.unanswered,
        p50Ms: answers.quantileMs(0.5),
        p99Ms: answers.quantileMs(0.99),
      },
      breaches: AnswerTally.of(periods).breaches,
      serviceAwayMs,
      rssMb,
      backlog: { events: before.waiting, bytes: before.bytes },
      drainedMs,
      drainPerSecond: drained / drainSeconds,
      liveRatePerSecond,
      ...(await countEvents(traffic, numbers)),
    };
    return { ...figures, failures: kafkaOutageFailures(figures) };
  } finally {
    await Promise.all([purchase.close(), sink.kill()]);
  }

  async function watch(ms: number): Promise<{ first: number; last: number; max: number }> {
    const endMs = performance.now() + ms;
    const samples = [await purchase.rssMb()];
    for (let toldMs = performance.now(); performance.now() < endMs;) {
      await pause(Math.min(sampleMs, Math.max(0, endMs - performance.now())));
      samples.push(await purchase.rssMb());
      if (performance.now() - toldMs < tellEveryMs) continue;
      toldMs = performance.now();
      const { waiting, bytes } = await purchase.outbox();
      tell(`  ${traffic.acknowledged} acknowledged; ${waiting} events of ${megabytes(bytes)} MB wait on disk; memory ${samples.at(-1)} MB`);
    }
    const third = Math.max(1, Math.floor(samples.length / 3));
    return { first: median(samples.slice(0, third)), last: median(samples.slice(-third)), max: Math.max(...samples) };
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}
