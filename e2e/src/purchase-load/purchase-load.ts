import { setTimeout as pause } from 'node:timers/promises';
import { FaultProxy, spawnService, stackPart, waitUntil, type StackPart } from '@millrace/testing';
import { EventNumbers } from '../proof/event-number.ts';
import { stack } from '../stack.ts';
import { AnswerTally } from './answer-tally.ts';
import { countEvents } from './count-events.ts';
import { loadFailures, type LoadFigures, type PeriodFigures } from './load-failures.ts';
import { PurchaseTraffic } from './purchase-traffic.ts';
import { PurchaseUnderTest } from './purchase-under-test.ts';

/** Measurements of a load, and the requirements that it did not meet. */
export type LoadReport = LoadFigures & { readonly failures: readonly string[] };

/** Length and size of the load. */
export interface LoadOptions {
  readonly durationMs: number;
  /** Clients; each sends its next purchase when it has the receipt of the last. */
  readonly clients: number;
  readonly tell: (line: string) => void;
}

/** Time between the kill of Kafka and its start, in milliseconds. */
const awayMs = 4000;
const drainMsMax = 180_000;

/**
 * Sends purchases as fast as the service takes them, and injects faults meanwhile. Kafka dies twice, Redis and the service once, and Produce
 * answers are swallowed between. Runs on the stack of its environment, where no service is up.
 */
export async function runPurchaseLoad({ durationMs, clients, tell }: LoadOptions): Promise<LoadReport> {
  const numbers = new EventNumbers(Date.now() & 0xffffffff);
  const [kafka, redis] = [stackPart('kafka'), stackPart('redis')];
  const proxy = await FaultProxy.start({ protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort });
  const purchase = await PurchaseUnderTest.start({ KAFKA_BROKERS: proxy.address });
  const sink = await spawnService('sink', { SINK_FLUSH_SECONDS: '10' });
  const traffic = new PurchaseTraffic({ purchaseUrl: purchase.url, numbers, clients, withKeys: true });
  const [outages, rest]: [AnswerTally[], AnswerTally[]] = [[], []];
  const beganMs = performance.now();
  let swallowed = 0;

  const until = async (share: number): Promise<void> => await pause(Math.max(0, beganMs + share * durationMs - performance.now()));
  const swallow = async (): Promise<void> => {
    const fault = await proxy.inject({ kind: 'swallow-answer' }, { times: 2, when: { api: 'Produce' } });
    await pause(1000);
    await fault.clear();
    swallowed += fault.hits;
    tell(`  ${fault.hits} Produce answers were swallowed`);
  };
  const crashKafka = async (): Promise<void> => {
    process.kill(await pidOf(kafka), 'SIGKILL');
    rest.push(traffic.endPeriod());
    await pause(awayMs);
    await kafka.start();
    outages.push(traffic.endPeriod());
    tell(`  Kafka was killed and is back; ${traffic.acknowledged} acknowledged`);
  };

  try {
    traffic.start();
    await until(0.1);
    await swallow();
    await until(0.2);
    await crashKafka();
    await until(0.4);
    process.kill(await pidOf(redis), 'SIGKILL');
    await pause(2000);
    await redis.start();
    tell(`  Redis was killed and is back; ${traffic.acknowledged} acknowledged`);
    await until(0.5);
    traffic.isServiceDown = true;
    const serviceAwayMs = await purchase.crash();
    traffic.isServiceDown = false;
    tell(`  the purchase API was killed and is back after ${(serviceAwayMs / 1000).toFixed(1)} s; ${traffic.acknowledged} acknowledged`);
    await until(0.7);
    await crashKafka();
    await until(0.9);
    await swallow();
    await until(1);
    const seconds = (performance.now() - beganMs) / 1000;
    await traffic.stop();
    rest.push(traffic.endPeriod());
    await waitUntil('the outbox to be empty', async () => (await purchase.outbox()).waiting === 0, { timeoutMs: drainMsMax }).catch(
      (error: unknown) => tell(String(error)),
    );
    const { waiting } = await purchase.outbox();
    tell(`${traffic.acknowledged} purchases acknowledged; counting …`);

    const all = AnswerTally.of([...outages, ...rest]);
    const figures: LoadFigures = {
      sent: traffic.sent,
      ratePerSecond: traffic.acknowledged / seconds,
      outages: figuresOf(AnswerTally.of(outages)),
      rest: figuresOf(AnswerTally.of(rest)),
      breaches: all.breaches,
      swallowed,
      waiting,
      ...(await countEvents(traffic, numbers)),
    };
    return { ...figures, failures: loadFailures(figures) };
  } finally {
    await Promise.all([purchase.close(), sink.kill()]);
    await proxy.close();
  }
}

async function pidOf(part: StackPart): Promise<number> {
  const pid = await part.pid();
  if (pid === undefined) throw new Error('a part was not started by this stack');
  return pid;
}

function figuresOf(tally: AnswerTally): PeriodFigures {
  const { kafka, disk, refused, unanswered } = tally;
  return { kafka, disk, refused, unanswered, p50Ms: tally.quantileMs(0.5), p99Ms: tally.quantileMs(0.99) };
}
