import { nameRefusals, type KafkaAccess } from '@millrace/kafka/access';
import { Base, ProduceAcks, Producer, type BaseOptions } from '@platformatic/kafka';
import { TopicError } from '../errors.ts';
import type { KafkaGuard } from '../guards.ts';
import { isMissingTopic } from './missing-topic.ts';
import { platformaticAccess, watchConnections } from './platformatic-access.ts';
import { outcomeOfError, outcomeOfResult } from './send-outcome.ts';
import type { PartitionBatch, SendOutcome, TopicWriter, WriterSession } from './topic-writer.ts';

/** How to reach Kafka. */
export interface KafkaWriterSettings {
  readonly access: KafkaAccess;
  readonly clientId: string;
  readonly topic: string;
  /** Partitions that the topic had at its creation. It may have grown since. */
  readonly partitions: number;
  /** Time to open a connection, in milliseconds. */
  readonly connectMsMax: number;
  /** Timeout of one request, in milliseconds. The client then closes the connection and repeats the request on another. */
  readonly answerMsMax: number;
  /** Wait between two attempts, in milliseconds. */
  readonly retryDelayMs: number;
}

/**
 * Writes to the topic with an idempotent producer and acks=all. If an answer is lost, the client repeats the attempt under the same
 * producer id and sequence numbers. The broker recognises it and answers with the offset of the first attempt. The guard's time limit ends
 * the attempts. One send is outstanding at a time. The protocol allows more, but with one the proof is short. The batch in question is
 * always the last one that the broker has seen from this producer.
 */
export class KafkaWriter implements TopicWriter {
  readonly #settings: KafkaWriterSettings;
  readonly #guard: KafkaGuard;
  readonly #inspector: Base;
  readonly #brokenBy: () => Error | undefined;

  constructor(settings: KafkaWriterSettings, guard: KafkaGuard) {
    this.#settings = settings;
    this.#guard = guard;
    this.#inspector = new Base({ ...baseOptions(settings), clientId: `${settings.clientId}-check`, retries: 0 });
    this.#brokenBy = watchConnections(this.#inspector);
  }

  /**
   * Asks Kafka for the topic, without retries.
   *
   * @returns a sentence for the health report
   * @throws TopicError when the topic is missing, or has fewer partitions than the contract: Kafka removes none, so it is another topic
   * @throws when Kafka does not answer
   */
  async check(signal?: AbortSignal): Promise<string> {
    return await this.#guard(
      'check',
      async (within) => await nameRefusals(async () => await this.#inspect(within), this.#brokenBy),
      signal,
    );
  }

  async open(signal: AbortSignal): Promise<WriterSession> {
    return await this.#guard(
      'open',
      async (within) => await nameRefusals(async () => await this.#openSession(within), this.#brokenBy),
      signal,
    );
  }

  async #openSession(signal: AbortSignal): Promise<WriterSession> {
    await this.#inspect(signal);
    const { retryDelayMs, topic } = this.#settings;
    const producer = new Producer({
      ...baseOptions(this.#settings),
      idempotent: true,
      acks: ProduceAcks.ALL,
      retries: Number.MAX_SAFE_INTEGER,
      retryDelay: retryDelayMs,
    });
    try {
      await abortable(producer.initIdempotentProducer({}), signal);
      return new KafkaSession(producer, topic, await partitionsOf(producer, topic, signal), this.#guard);
    } catch (error) {
      giveUp(producer);
      throw error;
    }
  }

  close(): void {
    giveUp(this.#inspector);
  }

  async #inspect(signal: AbortSignal): Promise<string> {
    const { topic, partitions: expected } = this.#settings;
    const { brokers, topics } = await abortable(this.#inspector.metadata({ topics: [topic], forceUpdate: true, retries: 0 }), signal).catch(
      (error: unknown) => {
        throw isMissingTopic(error)
          ? new TopicError(`the topic ${topic} does not exist: create it with ${expected} partitions`, { cause: error })
          : error;
      },
    );
    const partitions = topics.get(topic)?.partitionsCount ?? 0;
    if (partitions < expected)
      throw new TopicError(`the topic ${topic} has ${partitions} partitions, and its contract says at least ${expected}`);
    return `${brokers.size} broker${brokers.size === 1 ? '' : 's'}, topic ${topic}`;
  }
}

class KafkaSession implements WriterSession {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #guard: KafkaGuard;
  #partitions: number;

  /** @param partitions those in the metadata of the producer */
  constructor(producer: Producer, topic: string, partitions: number, guard: KafkaGuard) {
    this.#producer = producer;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#guard = guard;
  }

  get partitions(): number {
    return this.#partitions;
  }

  async refresh(signal: AbortSignal): Promise<number> {
    this.#partitions = await this.#guard(
      'check',
      async (within) => await partitionsOf(this.#producer, this.#topic, within, { forceUpdate: true }),
      signal,
    );
    return this.#partitions;
  }

  async send(batches: readonly PartitionBatch[], signal: AbortSignal): Promise<SendOutcome> {
    // The client crashes on a partition that its metadata lacks. The outbox may hold one of a topic that was created again with fewer.
    const known = batches.filter(({ partition }) => partition < this.#partitions);
    if (known.length === batches.length) return await this.#sendKnown(batches, signal);
    const sent = known.length === 0 ? [] : await this.#sendKnown(known, signal);
    const cause = new TopicError(`the topic ${this.#topic} has only ${this.#partitions} partitions`);
    const unknown = batches.filter(({ partition }) => partition >= this.#partitions);
    return new Map([...sent, ...unknown.map(({ partition }) => [partition, { kind: 'not-written', cause }] as const)]);
  }

  async #sendKnown(batches: readonly PartitionBatch[], signal: AbortSignal): Promise<SendOutcome> {
    let handedOver = false;
    try {
      const result = await this.#guard(
        'send',
        async (within) => {
          if (handedOver) throw new Error('a send must not be repeated by its guard');
          within.throwIfAborted();
          handedOver = true;
          return await abortable(this.#producer.send({ messages: messagesOf(this.#topic, batches), acks: ProduceAcks.ALL }), within);
        },
        signal,
      );
      return outcomeOfResult(result, batches);
    } catch (error) {
      if (!handedOver) return new Map(batches.map(({ partition }) => [partition, { kind: 'not-written', cause: error }]));
      return outcomeOfError(error, batches);
    }
  }

  close(): void {
    giveUp(this.#producer);
  }
}

/** The number of partitions in the metadata of a client, which its sends use. */
async function partitionsOf(
  client: Base,
  topic: string,
  signal: AbortSignal,
  { forceUpdate = false }: { readonly forceUpdate?: boolean } = {},
): Promise<number> {
  const { topics } = await abortable(client.metadata({ topics: [topic], forceUpdate, retries: 0 }), signal);
  return topics.get(topic)?.partitionsCount ?? 0;
}

function baseOptions({ access, clientId, connectMsMax, answerMsMax }: KafkaWriterSettings): BaseOptions {
  return {
    ...platformaticAccess(access),
    clientId,
    connectTimeout: connectMsMax,
    requestTimeout: answerMsMax,
    // The broker must stop waiting for its replicas before the request times out at the client.
    timeout: Math.ceil(answerMsMax * 0.75),
    autocreateTopics: false,
    // The refusal of the old leader shows that the leader moved, so no periodic refresh is needed.
    metadataMaxAge: 60_000,
  };
}

function messagesOf(topic: string, batches: readonly PartitionBatch[]) {
  return batches.flatMap(({ partition, messages }) =>
    messages.map(({ key, value, headers }) => ({ topic, partition, key, value, headers: headers as Map<Buffer, Buffer> })),
  );
}

/**
 * Closes a client whose connections may hang. A normal close waits until all bytes are sent, and a frozen broker never reads them. So this
 * destroys the sockets.
 */
export function giveUp(client: Base): void {
  const sockets = [...client.connections].map(([, connection]) => connection.socket);
  // It rejects only if the client was closed before.
  void client.close().catch(() => undefined);
  for (const socket of sockets) socket?.destroy();
}

/** Waits for a promise until a signal aborts. @throws the signal's reason once it aborts */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}
