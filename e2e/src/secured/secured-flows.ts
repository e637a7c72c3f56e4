import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { purchases } from '@millrace/contracts';
import { createTopic, SecuredKafka, spawnService, type KafkaEnv, type ServiceProcess } from '@millrace/testing';
import { isClean, type Verdict } from '../proof/compare.ts';
import { EventNumbers } from '../proof/event-number.ts';
import { Judge } from '../proof/judge.ts';
import { PurchaseFlow } from '../proof/purchase-flow.ts';

/** Measurements of one kind of login. */
export interface SecuredFlowFigures {
  readonly login: string;
  readonly verdict: Verdict;
  /** Requests that failed and were repeated. */
  readonly failedRequests: number;
  /** Crashes of the sink's consumer. */
  readonly consumerCrashes: number;
}

/** Measurements of all of them. */
export interface SecuredReport {
  readonly flows: readonly SecuredFlowFigures[];
  readonly tokensIssued: number;
  readonly failures: readonly string[];
}

/** Lifetime of a token in seconds. A session ends after 10 s. */
const tokenSeconds = 20;

/**
 * Runs purchases through a purchase API and a sink for each kind of login, and then counts every event. Each process has only the ACLs that
 * docs/security.md lists. Sessions end every 10 s, and tokens live for 20 s. Needs the S3 and Glue of its environment.
 */
export async function runSecuredFlows({
  durationMs,
  rate,
  tell,
}: {
  readonly durationMs: number;
  readonly rate: number;
  readonly tell: (line: string) => void;
}): Promise<SecuredReport> {
  const kafka = await SecuredKafka.start(['purchase', 'sink']);
  kafka.issuer.lifetimeSeconds = tokenSeconds;
  const flows: SecuredFlow[] = [];
  try {
    for (const [login, access] of [
      ['scram', (user: string) => kafka.scram(user)],
      ['mtls', (user: string) => kafka.mtls(user)],
      ['oauth', (user: string) => kafka.oauth(user)],
    ] as const) {
      flows.push(await SecuredFlow.start(kafka, login, access, rate));
      tell(`Purchases flow by ${login}.`);
    }
    const end = performance.now() + durationMs;
    while (performance.now() < end) {
      await pause(Math.min(30_000, Math.max(0, end - performance.now())));
      tell(`  ${Math.round((end - performance.now()) / 1000)} s to go: ${flows.map((flow) => flow.state).join(', ')}`);
    }
    const figures: SecuredFlowFigures[] = [];
    for (const flow of flows) figures.push(await flow.finish());
    const tokensIssued = kafka.issuer.issued;
    return { flows: figures, tokensIssued, failures: failuresOf(figures, tokensIssued, durationMs) };
  } finally {
    await Promise.all(flows.map(async (flow) => await flow.kill()));
    await kafka.stop();
  }
}

/** The requirements that were not met. */
export function failuresOf(figures: readonly SecuredFlowFigures[], tokensIssued: number, durationMs: number): string[] {
  const renewals = Math.floor(durationMs / 1000 / tokenSeconds);
  return [
    ...figures.flatMap(({ login, verdict, failedRequests, consumerCrashes }) => [
      ...(isClean(verdict) ? [] : [`${login}: events were lost, doubled or unexplained`]),
      ...(failedRequests === 0 ? [] : [`${login}: ${failedRequests} requests failed`]),
      ...(consumerCrashes === 0 ? [] : [`${login}: the consumer crashed ${consumerCrashes} times`]),
    ]),
    // A purchase API and a sink.
    ...(tokensIssued >= 2 * renewals ? [] : [`only ${tokensIssued} tokens were fetched`]),
  ];
}

class SecuredFlow {
  readonly #login: string;
  readonly #purchase: ServiceProcess;
  readonly #sink: ServiceProcess;
  readonly #flow: PurchaseFlow;
  readonly #judge: Judge;
  readonly #crashesBefore: number;

  private constructor(login: string, purchase: ServiceProcess, sink: ServiceProcess, flow: PurchaseFlow, judge: Judge, crashes: number) {
    this.#login = login;
    this.#purchase = purchase;
    this.#sink = sink;
    this.#flow = flow;
    this.#judge = judge;
    this.#crashesBefore = crashes;
  }

  static async start(kafka: SecuredKafka, login: string, access: (user: string) => KafkaEnv, rate: number): Promise<SecuredFlow> {
    const { AWS_ENDPOINT_URL: endpoint = '', LAKE_BUCKET: bucket = '', MILLRACE_HOME: home = '' } = process.env;
    const topic = `secured-${login}`;
    const table = `secured_${login}`;
    const { partitions } = purchases.topic;
    await kafka.asAdmin(
      async (admin) => await createTopic(admin, { topic, partitions, config: { 'retention.ms': '-1', 'retention.bytes': '-1' } }),
    );
    await kafka.allow('purchase', [{ on: 'TOPIC', name: topic, operation: 'WRITE' }]);
    await kafka.allow('sink', [
      { on: 'TOPIC', name: topic, operation: 'READ' },
      { on: 'TOPIC', name: topic, operation: 'DESCRIBE_CONFIGS' },
      { on: 'GROUP', name: `sink-${login}`, operation: 'READ' },
    ]);
    const purchase = await spawnService('purchase', { ...access('purchase'), PURCHASE_TOPIC: topic });
    const sink = await spawnService('sink', {
      ...access('sink'),
      SINK_TOPIC: topic,
      SINK_TABLE: table,
      SINK_GROUP_ID: `sink-${login}`,
      SINK_SPOOL_DIR: join(home, `spool-${login}`),
      SINK_FLUSH_SECONDS: '10',
    });
    const numbers = new EventNumbers((Date.now() + login.length) & 0xffffffff);
    const flow = new PurchaseFlow({
      purchaseUrl: purchase.url,
      numbers,
      rate,
      itemsPerRequest: 10,
      requestsMax: 32,
      days: 2,
      random: Math.random,
    });
    const s3 = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 5 });
    const judge = new Judge({ s3, bucket, table, brokers: [kafka.direct], topic, partitions, numbers });
    const crashes = await crashesOf(sink);
    flow.start();
    return new SecuredFlow(login, purchase, sink, flow, judge, crashes);
  }

  get state(): string {
    return `${this.#login} ${this.#flow.acknowledged} acknowledged`;
  }

  /** Stops the purchases, and waits until every one has landed. */
  async finish(): Promise<SecuredFlowFigures> {
    await this.#flow.stop();
    const consumerCrashes = (await crashesOf(this.#sink)) - this.#crashesBefore;
    const late = performance.now() + 60_000;
    let verdict: Verdict;
    do {
      await pause(1000);
      verdict = await this.#judge.verdict((number) => this.#flow.isAcknowledged(number), this.#flow.sent);
    } while (!isClean(verdict) && performance.now() < late);
    return { login: this.#login, verdict, failedRequests: this.#flow.retries, consumerCrashes };
  }

  async kill(): Promise<void> {
    await Promise.all([this.#purchase.kill(), this.#sink.kill()]);
  }
}

async function crashesOf({ url }: ServiceProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^millrace_sink_consumer_crashes_total(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1] ?? 0);
}
