import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { purchases as stream } from '@millrace/contracts';
import { FaultProxy, freePort, spawnService, waitUntil, type Fault, type InjectOptions, type ServiceProcess } from '@millrace/testing';
import { ask } from '../http.ts';
import { makePurchases } from '../purchases.ts';
import { kafka, stack } from '../stack.ts';
import { createTopic, deleteTopic } from '../topic.ts';
import { Prometheus } from './prometheus.ts';
import { scaleRules } from './scale-rules.ts';

/** The time of the rules is divided by this. */
export const timeFactor = 10;

// The interval of docker/prometheus/prometheus.yaml.
const scrapeEveryMs = 5000;
// The longest time that a rule of waiting records waits before it fires, and some scrapes.
const steadyMs = 20_000;
const firesWithinMs = 120_000;

const rulesPath = join(import.meta.dirname, '..', '..', '..', 'docker', 'prometheus', 'rules.yaml');

/** A fault, the alert that must fire, and a part of the answer of `/health/ready` during the fault. */
interface PlantedFault {
  readonly what: string;
  readonly fault: Fault;
  readonly when: NonNullable<InjectOptions['when']>;
  readonly alert: string;
  readonly healthSays?: RegExp;
  /** Whether the sink begins anew under the fault: a member of the group would not meet it otherwise. */
  readonly restart?: boolean;
}

const plantedFaults: readonly PlantedFault[] = [
  { what: 'the broker answers no fetch', fault: { kind: 'swallow-answer' }, when: { api: 'Fetch' }, alert: 'MillracePartitionStalled' },
  {
    what: 'no answer to a fetch can be decoded',
    fault: { kind: 'cut-answer' },
    when: { api: 'Fetch' },
    alert: 'MillraceConsumerCrashes',
    healthSays: /the consumer crashed \d+ times in a row; the last error: ./,
  },
  {
    what: 'the broker lets no member into the group',
    fault: { kind: 'reset' },
    when: { api: 'JoinGroup' },
    alert: 'MillraceSinkNotJoined',
    healthSays: /the consumer group is not joined.*; the last error: ./,
    restart: true,
  },
];

/** Result of one planted fault. */
export interface AlarmSeen {
  readonly what: string;
  readonly alert: string;
  /** Time from the fault to the alert, in milliseconds of the scaled rules. */
  readonly firedAfterMs: number;
  readonly health: string;
}

/** Result of the proof. */
export interface AlarmReport {
  /** Alerts that fired before any fault; none may. */
  readonly firedInSteadyState: readonly string[];
  readonly alarms: readonly AlarmSeen[];
}

/**
 * Plants each fault of a sink's consumer and waits until a real Prometheus fires the alert for it, by the delivered rules in scaled time.
 * Purchases flow all the while. Runs on the parts of the stack that its environment describes, with a topic and a sink for itself.
 *
 * @throws Error when an alert does not fire in time, or does not go with its fault
 */
export async function runAlarmProof({
  binary,
  tell,
}: {
  readonly binary: string;
  readonly tell: (line: string) => void;
}): Promise<AlarmReport> {
  const topic = await createTopic('e2e-alarms');
  const proxy = await FaultProxy.start({ protocol: 'kafka', target: stack.kafkaProxiedBrokers, port: stack.kafkaAdvertisedPort });
  const port = String(await freePort());
  const folder = join(stack.home, topic);
  const flow = await PurchaseDrip.start(topic);
  const startSink = async (until: 'ready' | 'live'): Promise<ServiceProcess> =>
    await spawnService('sink', sinkSettings(topic, proxy.address, port, folder), { until });
  let sink: ServiceProcess | undefined;
  let prometheus: Prometheus | undefined;
  try {
    sink = await startSink('ready');
    const rules = scaleRules(readFileSync(rulesPath, 'utf8'), timeFactor);
    prometheus = await Prometheus.start({
      binary,
      rules,
      target: `127.0.0.1:${port}`,
      everyMs: scrapeEveryMs / timeFactor,
      folder: join(folder, 'prometheus'),
    });
    await pause(steadyMs);
    const firedInSteadyState = await prometheus.firing();
    tell(
      `Steady for ${steadyMs / 1000} s: ${firedInSteadyState.length === 0 ? 'no alert fires' : `${firedInSteadyState.join(', ')} fire`}`,
    );
    const alarms: AlarmSeen[] = [];
    for (const planted of plantedFaults) {
      // One fault may fire the alert of another, too.
      await waitUntil(`${planted.alert} to be silent`, async () => !(await prometheus!.firing()).includes(planted.alert), {
        timeoutMs: firesWithinMs,
      });
      const active = await proxy.inject(planted.fault, { when: planted.when });
      if (planted.restart === true) {
        await sink.kill('SIGKILL');
        sink = await startSink('live');
      }
      const seen = await alarmOf(planted, prometheus, sink);
      tell(
        `${planted.alert} fired ${(seen.firedAfterMs / 1000).toFixed(1)} s after the fault: ${planted.what}; /health/ready: ${seen.health}`,
      );
      alarms.push(seen);
      await active.clear();
      await becomesReady(sink);
    }
    return { firedInSteadyState, alarms };
  } finally {
    await flow.stop();
    await prometheus?.close();
    await sink?.kill('SIGKILL');
    await proxy.close();
    await deleteTopic(topic);
  }
}

function sinkSettings(topic: string, brokers: string, port: string, folder: string): Record<string, string> {
  return {
    KAFKA_BROKERS: brokers,
    SINK_PORT: port,
    SINK_TOPIC: topic,
    SINK_GROUP_ID: topic,
    SINK_TABLE: topic.replaceAll('-', '_'),
    SINK_SPOOL_DIR: join(folder, 'spool'),
    SINK_FLUSH_SECONDS: '2',
  };
}

async function alarmOf({ what, alert, healthSays }: PlantedFault, prometheus: Prometheus, sink: ServiceProcess): Promise<AlarmSeen> {
  const begun = performance.now();
  await waitUntil(`${alert} to fire because ${what}`, async () => (await prometheus.firing()).includes(alert), {
    timeoutMs: firesWithinMs,
    everyMs: 200,
  });
  const firedAfterMs = performance.now() - begun;
  const health = await waitUntil(`/health/ready to say why ${what}`, async () => {
    const detail = await kafkaDetail(sink);
    return healthSays === undefined || healthSays.test(detail) ? detail || 'joined' : undefined;
  });
  return { what, alert, firedAfterMs, health };
}

async function kafkaDetail(sink: ServiceProcess): Promise<string> {
  const { body } = await ask<{ dependencies: readonly { name: string; detail?: string }[] }>(`${sink.url}/health/ready`);
  return body.dependencies.find(({ name }) => name === 'kafka')?.detail ?? '';
}

async function becomesReady(sink: ServiceProcess): Promise<void> {
  await waitUntil('the sink to be ready again', async () => (await ask(`${sink.url}/health/ready`)).status === 200, {
    timeoutMs: firesWithinMs,
  });
}

/** A purchase for each partition, every second. */
class PurchaseDrip {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  static async start(topic: string): Promise<PurchaseDrip> {
    const drip = new PurchaseDrip();
    const producer = kafka.producer();
    await producer.connect();
    const running = drip.#run(async () => {
      const messages = makePurchases(stream.topic.partitions).map((purchase, partition) => ({
        partition,
        key: purchase.userId,
        value: JSON.stringify(purchase),
      }));
      await producer.send({ topic, messages });
    });
    drip.#running = disconnectAfter(running, producer);
    return drip;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(send: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await send();
      await pause(1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function disconnectAfter(work: Promise<void>, producer: { disconnect(): Promise<void> }): Promise<void> {
  try {
    await work;
  } finally {
    await producer.disconnect();
  }
}
