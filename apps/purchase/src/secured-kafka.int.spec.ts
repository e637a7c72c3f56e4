import { setTimeout as delay } from 'node:timers/promises';
import type { EventReceipt } from '@millrace/contracts';
import { answerOf, kafkaClient, lastHeader, readAnswer } from '@millrace/kafka';
import { kafkaAccessFrom, kafkajsAccess, kafkaRefusalOf } from '@millrace/kafka/access';
import type { RunningService } from '@millrace/runtime';
import { createTopic, type KafkaEnv, SecuredKafka, waitUntil } from '@millrace/testing';
import kafkajs, { type Consumer } from 'kafkajs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaWriter } from './publish/kafka-writer.ts';
import { post, startPurchase, startReadyPurchase } from './testing/purchase-client.ts';
import { seedPurchase } from './testing/seed-purchase.ts';

const topic = 'secured-purchases';
let kafka: SecuredKafka;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-secured-test-'));
  kafka = await SecuredKafka.start(['purchase', 'sink', 'stranger']);
  await kafka.asAdmin(async (admin) => await createTopic(admin, { topic, partitions: 8 }));
  // As docs/security.md lists them.
  await kafka.allow('purchase', [{ on: 'TOPIC', name: topic, operation: 'WRITE' }]);
  await kafka.allow('sink', [
    { on: 'TOPIC', name: topic, operation: 'READ' },
    { on: 'TOPIC', name: topic, operation: 'DESCRIBE_CONFIGS' },
    { on: 'GROUP', name: 'sink-*', operation: 'READ' },
  ]);
});
afterAll(async () => {
  await kafka?.stop();
  await rm(folder, { recursive: true, force: true });
});

const env = (access: KafkaEnv): Record<string, string> => ({ ...access, PURCHASE_TOPIC: topic });

/** Consumes the topic as the sink does, and collects the event ids. */
class Reader {
  readonly ids: string[] = [];
  readonly crashes: Error[] = [];
  readonly #consumer: Consumer;

  constructor(access: KafkaEnv, groupId: string) {
    const client = kafkaClient({ ...kafkajsAccess(kafkaAccessFrom(access)), clientId: groupId, logLevel: kafkajs.logLevel.NOTHING });
    this.#consumer = client.consumer({ groupId, heartbeatInterval: 1000, sessionTimeout: 6000, maxWaitTimeInMs: 250 });
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => {
      // The first member of the first group meets a coordinator that loads.
      if ((payload.error as { type?: string }).type !== 'GROUP_LOAD_IN_PROGRESS') this.crashes.push(payload.error);
    });
  }

  async start(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        const { fetchedOffset, answer } = answerOf(payload.batch);
        for (const { records, next } of readAnswer(answer, fetchedOffset)) {
          for (const { headers } of records) this.ids.push(lastHeader(headers, 'ce_id')!.toString());
          payload.resolveOffset(String(next - 1));
        }
        await payload.heartbeat();
      },
    });
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect();
  }
}

it('purchases flow through each kind of login while sessions end and tokens expire: none fails, is lost or doubled', async () => {
  kafka.issuer.lifetimeSeconds = 12;
  const logins: readonly (readonly [name: string, purchase: KafkaEnv, sink: KafkaEnv])[] = [
    ['scram', kafka.scram('purchase'), kafka.scram('sink')],
    ['plain', kafka.plain('purchase'), kafka.plain('sink')],
    ['mtls', kafka.mtls('purchase'), kafka.mtls('sink')],
    ['oauth', kafka.oauth('purchase'), kafka.oauth('sink')],
  ];
  const services: RunningService[] = [];
  const readers: Reader[] = [];
  try {
    for (const [name, purchase, sink] of logins) {
      services.push(await startReadyPurchase(env(purchase)));
      readers.push(new Reader(sink, `sink-${name}`));
    }
    await Promise.all(readers.map(async (reader) => await reader.start()));
    // A broker ends a session after 10 s; the clients log in again after 8 s.
    const endMs = Date.now() + 18_000;
    const answers: { readonly status: number; readonly body: EventReceipt }[] = [];
    const client = async ({ url }: RunningService, number: number): Promise<void> => {
      for (let n = 0; Date.now() < endMs; n += 1) {
        answers.push(await post(url, seedPurchase({ userId: `user-${number}-${n % 50}` })));
        await delay(10);
      }
    };
    await Promise.all(services.flatMap((service, n) => [client(service, 2 * n), client(service, 2 * n + 1)]));
    expect(answers.filter(({ status, body }) => status !== 202 || body.durability !== 'kafka')).toEqual([]);
    const sent = answers.map(({ body }) => body.eventId).toSorted();
    for (const reader of readers) {
      await waitUntil('every event', () => (reader.ids.length >= sent.length ? true : undefined));
      expect(reader.ids.toSorted()).toEqual(sent);
      expect(reader.crashes).toEqual([]);
    }
    expect(sent.length).toBeGreaterThan(20);
    // Two processes, each with one token at a time and at least one renewal.
    expect(kafka.issuer.issued).toBeGreaterThanOrEqual(4);
  } finally {
    kafka.issuer.lifetimeSeconds = 20;
    await Promise.all([...services.map(async (service) => await service.close()), ...readers.map(async (reader) => await reader.stop())]);
  }
});

const writerOf = (access: KafkaEnv): KafkaWriter =>
  new KafkaWriter(
    {
      access: kafkaAccessFrom(access),
      clientId: 'test',
      topic,
      partitions: 8,
      connectMsMax: 5000,
      answerMsMax: 5000,
      retryDelayMs: 100,
    },
    async (_call, run, signal) => await run(signal ?? new AbortController().signal),
  );

const refusalOfKafkajs = async (access: KafkaEnv): Promise<string | undefined> => {
  const client = new kafkajs.Kafka({
    ...kafkajsAccess(kafkaAccessFrom(access)),
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 5000,
    retry: { retries: 0 },
  });
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.fetchTopicOffsets(topic);
    return 'nothing';
  } catch (error) {
    return kafkaRefusalOf(error)?.kind ?? String(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
};

const file = async (name: string, content: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

describe('the name of a refusal', () => {
  const cases: readonly (readonly [what: string, kind: string, access: () => Promise<KafkaEnv>])[] = [
    ['a wrong SCRAM password', 'login', async () => await Promise.resolve(kafka.scram('sink', 'wrong'))],
    ['a wrong PLAIN password', 'login', async () => await Promise.resolve(kafka.plain('sink', 'wrong'))],
    ['a wrong client secret', 'token', async () => await Promise.resolve(kafka.oauth('sink', 'wrong'))],
    [
      'a token that has expired',
      'login',
      async () => {
        const { KAFKA_BROKERS, KAFKA_TLS_CA_FILE } = kafka.oauth('sink');
        const path = await file('token', kafka.issuer.token('sink', -60));
        return { KAFKA_BROKERS, KAFKA_TLS_CA_FILE, KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_OAUTH_TOKEN_FILE: path } as KafkaEnv;
      },
    ],
    [
      'a mechanism that the listener does not offer',
      'mechanism',
      async () => await Promise.resolve({ ...kafka.scram('sink'), KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256' }),
    ],
    ['an unknown CA', 'unknown-ca', async () => ({ ...kafka.scram('sink'), KAFKA_TLS_CA_FILE: await kafka.otherCa() })],
    ['an expired certificate of the broker', 'expired-certificate', async () => await Promise.resolve(kafka.expired())],
    [
      'a certificate for another name',
      'server-name',
      async () => await Promise.resolve({ ...kafka.scram('sink'), KAFKA_TLS_SERVER_NAME: 'kafka.example' }),
    ],
    [
      'an expired certificate of the client',
      'client-certificate',
      async () => {
        const { cert, key } = await kafka.expiredClient();
        return { ...kafka.mtls('sink'), KAFKA_TLS_CERT_FILE: cert, KAFKA_TLS_KEY_FILE: key };
      },
    ],
    [
      'no client certificate',
      'client-certificate',
      async () => {
        const { KAFKA_BROKERS, KAFKA_TLS_CA_FILE } = kafka.mtls('sink');
        return await Promise.resolve({ KAFKA_BROKERS, KAFKA_TLS_CA_FILE } as KafkaEnv);
      },
    ],
    ['a missing ACL', 'authorization', async () => await Promise.resolve(kafka.scram('stranger'))],
  ];

  it.each(cases)('both clients name %s as the refusal %s', async (_what, kind, accessOf) => {
    const access = await accessOf();
    const writer = writerOf(access);
    const named = await writer.check().catch((error: unknown) => kafkaRefusalOf(error)?.kind ?? String(error));
    writer.close();
    expect([named, await refusalOfKafkajs(access)]).toEqual([kind, kind]);
  });
});

it.each([
  ['a wrong password', 'Kafka refuses the login', async () => await Promise.resolve(kafka.scram('purchase', 'wrong'))],
  ['an unknown CA', 'not signed by a trusted CA', async () => ({ ...kafka.scram('purchase'), KAFKA_TLS_CA_FILE: await kafka.otherCa() })],
  ['an expired certificate', 'has expired', async () => await Promise.resolve(kafka.expired())],
  ['a missing ACL', 'do not allow this service the topic', async () => await Promise.resolve(kafka.scram('stranger'))],
])('the purchase API names %s in its readiness and in the problem document, and its circuit stays closed', async (_what, fact, access) => {
  const service = await startPurchase({ ...env(await access()) });
  try {
    const ready = async (): Promise<string> => await (await fetch(`${service.url}/health/ready`)).text();
    await waitUntil('the refusal', async () => ((await ready()).includes(fact) ? true : undefined));
    // More attempts to open than the circuit takes.
    await delay(1500);
    const text = await ready();
    expect(text).toContain(fact);
    expect(text).not.toContain('circuit is open');
    expect(text).not.toContain('right-horse');
    const { status, body } = await post(service.url, seedPurchase());
    expect([status, body.detail]).toEqual([503, expect.stringContaining('does not pass by itself') as string]);
  } finally {
    await service.close();
  }
});

it('a new password in the file is used for the next connection', async () => {
  const path = join(folder, 'password');
  await writeFile(path, 'wrong\n');
  const { KAFKA_SASL_PASSWORD: password, ...access } = kafka.scram('purchase');
  const service = await startPurchase(env({ ...access, KAFKA_SASL_PASSWORD_FILE: path }));
  try {
    await waitUntil('the refusal', async () =>
      (await (await fetch(`${service.url}/health/ready`)).text()).includes('Kafka refuses the login') ? true : undefined,
    );
    await writeFile(path, `${password!}\n`);
    await waitUntil('the login', async () => ((await fetch(`${service.url}/health/ready`)).ok ? true : undefined));
    expect((await post(service.url, seedPurchase())).status).toBe(202);
  } finally {
    await service.close();
  }
});
