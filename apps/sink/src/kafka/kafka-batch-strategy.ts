import { setTimeout as delay } from 'node:timers/promises';
import { RejectedError, unlessAborted } from '@millrace/resilience';
import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { answerOf, kafkaClient, readAnswer, readTopicSafety, type TopicSafety } from '@millrace/kafka';
import { kafkajsAccess, kafkaRefusalOf, nameRefusals, type KafkaAccess } from '@millrace/kafka/access';
import kafkajs, { type Admin, type Consumer, type EachBatchPayload, type logCreator } from 'kafkajs';
import { lastValueFrom } from 'rxjs';
import type { FetchedRecords, LogRange, PartitionLog } from './log.ts';
import { OffsetCommits } from './offset-commits.ts';

// kafkajs is CommonJS; Node finds only some of its exports by name.
const { logLevel } = kafkajs;

/** Settings of the transport. */
export interface KafkaBatchOptions {
  /** How to reach Kafka. */
  readonly access: KafkaAccess;
  readonly clientId: string;
  readonly topic: string;
  readonly groupId: string;
  /** Size of the largest batch that the topic takes, in bytes. */
  readonly maxMessageBytes: number;
  /** Interval at which the consumer looks for new partitions, in milliseconds. The group then rebalances. */
  readonly metadataMs: number;
  /** The group is joined once this resolves. Default: at once. */
  readonly ready?: Promise<void>;
  /** Time that leaving the group may take when the transport closes, in milliseconds. */
  readonly leaveMsMax: number;
  /** Wraps each call of the admin client: a resilience pipeline. */
  readonly guard: <T>(call: () => Promise<T>) => Promise<T>;
  /** Where kafkajs's own lines go. */
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}

/** Result of the handler of a batch. The handler never throws, because Nest's RPC filter would swallow code and cause. */
export interface BatchOutcome {
  /** Whether the batch was taken. Otherwise the handler has called seek with the offset that it wants next. */
  readonly taken: boolean;
}

/** Receives the events of the consumer group. */
export interface GroupListener {
  /** The cluster and the topic are known; before the first assignment. */
  connected(clusterId: string, topic: TopicSafety): void;
  /** The group was joined: these partitions are ours from now on. Must pause and seek before it returns. */
  assigned(partitions: readonly number[]): void;
  /** The consumer crashed, and the transport starts a new one. */
  crashed(error: Error): void;
  /** Kafka could not be reached to start a consumer, and the transport retries. */
  startRefused(error: Error): void;
}

/** Context of a fetch: the second argument of the handler. */
export interface FetchContext {
  readonly topic: string;
}

/** State of the connection, for readiness. */
export interface GroupState {
  readonly joined: boolean;
  /** Milliseconds since the epoch of the last answered fetch or heartbeat. */
  readonly lastContactMs: number;
}

/** The part of kafkajs that the transport needs. */
export type KafkaClient = Pick<kafkajs.Kafka, 'admin' | 'consumer'>;

/** The pattern under which the handler of fetched records is registered. */
export const recordsPattern = 'records';

const commitEveryMs = 1000;

// `max.message.bytes` does not count offset and length of a batch.
const messageOverheadBytes = 12;

/**
 * Maximum attempts for one connection, fetch or join of the consumer. The retries are inside kafkajs, because each new consumer is a new
 * member and makes the group rebalance. After the last attempt the consumer ends, and the transport starts a new one. The retry layers of
 * kafkajs do not multiply: none retries a call that another has given up.
 */
export const consumerAttemptsMax = 9;

// Maximum pause before the transport starts a new consumer.
const pauseMsMax = 2000;

/**
 * A transport of `@nestjs/microservices` that delivers whole fetches with manual offsets. The stock Kafka transport delivers single
 * messages. Register the handler with `@MessagePattern(recordsPattern)`.
 *
 * Nothing depends on the positions of kafkajs: it commits nothing by itself and resolves only offsets that the handler took. The lane
 * notices a position that kafkajs resets, because it compares `fetchedOffset` with its own.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  readonly #options: KafkaBatchOptions;
  readonly #kafka: KafkaClient;
  readonly #admin: Admin;
  readonly #stopping = new AbortController();
  readonly #commits = new OffsetCommits();
  #consumer: Consumer | undefined;
  /** The consumer while it is in the group. Before it joins and after it crashes, kafkajs throws on seek and pause. */
  #member: Consumer | undefined;
  #listener: GroupListener | undefined;
  #lastContactMs = 0;
  #crash: Error | undefined;
  #lastRanges: Promise<unknown> = Promise.resolve();
  #nextRanges: Promise<Map<number, LogRange>> | undefined;
  #commitTimer: NodeJS.Timeout | undefined;
  #consuming: Promise<void> = Promise.resolve();

  /**
   * @param options settings of the transport
   * @param clientOf makes a client that tries so often at most; a test's own, or kafkajs
   */
  constructor(options: KafkaBatchOptions, clientOf: (options: KafkaBatchOptions, attemptsMax: number) => KafkaClient = kafkaOf) {
    super();
    this.#options = options;
    this.#kafka = clientOf(options, consumerAttemptsMax);
    // The caller retries failures of the admin client: one layer, which the circuit can see. The admin needs a separate client, because
    // kafkajs takes the number of connection attempts from the client and ignores the admin's own setting.
    this.#admin = clientOf(options, 1).admin();
  }

  /** Receives connection and assignment; set it before {@link listen}. */
  set listener(listener: GroupListener) {
    this.#listener = listener;
  }

  get state(): GroupState {
    return { joined: this.#member !== undefined, lastContactMs: this.#lastContactMs };
  }

  override on(): never {
    throw new Error('this transport has no events of its own; set its listener');
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is Nest's
  override unwrap<T>(): T {
    return this.#kafka as T;
  }

  /** Starts to connect, and returns at once. While Kafka is down, the service is up but not ready. */
  listen(callback: () => void): void {
    this.#consuming = this.#consume();
    this.#commitTimer = setInterval(() => void this.#commitNow(), commitEveryMs);
    callback();
  }

  async close(): Promise<void> {
    clearInterval(this.#commitTimer);
    this.#stopping.abort(new Error('the transport closes'));
    // Do not wait for a broker that does not answer: the session timeout removes us from the group.
    await Promise.race([this.#leave(), delay(this.#options.leaveMsMax, undefined, { ref: false })]);
  }

  async #leave(): Promise<void> {
    await this.#commitNow();
    await this.#consumer?.disconnect().catch(() => undefined);
    await this.#consuming;
    await this.#admin.disconnect().catch(() => undefined);
  }

  /**
   * Returns the lane's handle on one partition. Outside the group nothing is fetched, so seek and pause do nothing. A lane calls both
   * again when the group is joined.
   */
  partition(partition: number): PartitionLog {
    const { topic } = this.#options;
    return {
      range: async (signal) => {
        const ranges = await unlessAborted(this.#allRanges(), signal);
        signal.throwIfAborted();
        const range = ranges?.get(partition);
        if (range === undefined) throw new Error(`partition ${partition} of ${topic} is not there`);
        return range;
      },
      seek: (offset) => this.#member?.seek({ topic, partition, offset: String(offset) }),
      pause: () => this.#member?.pause([{ topic, partitions: [partition] }]),
      resume: () => this.#member?.resume([{ topic, partitions: [partition] }]),
      commit: (offset) => this.#commits.set(partition, offset),
    };
  }

  // Lanes start together and share one request. Never join a request in flight: its answer may be older than the lane's position. A lane
  // above the log's end would then treat the topic as recreated. So a later caller waits for the next request.
  #allRanges(): Promise<Map<number, LogRange>> {
    this.#nextRanges ??= this.#lastRanges
      .catch(() => undefined)
      .then(async () => {
        this.#nextRanges = undefined;
        return await this.#askRanges();
      });
    this.#lastRanges = this.#nextRanges;
    return this.#nextRanges;
  }

  /** The end offset of each partition of the topic. Answers also while the group is not joined. */
  async ends(): Promise<ReadonlyMap<number, number>> {
    return new Map([...(await this.#askRanges())].map(([partition, { high }]) => [partition, high]));
  }

  /** The offsets that the group committed; a partition without one is missing. */
  async committed(): Promise<ReadonlyMap<number, number>> {
    const { groupId, topic, guard } = this.#options;
    const groups = await guard(async () => {
      await this.#admin.connect();
      return await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    });
    const offsets = groups.flatMap(({ partitions }) =>
      partitions.map(({ partition, offset }): [number, number] => [partition, Number(offset)]),
    );
    return new Map(offsets.filter(([, offset]) => offset >= 0));
  }

  async #askRanges(): Promise<Map<number, LogRange>> {
    const offsets = await this.#options.guard(async () => {
      // The admin client is not connected before the first consumer starts; connecting twice is one connection.
      await this.#admin.connect();
      return await this.#admin.fetchTopicOffsets(this.#options.topic);
    });
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
  }

  async #consume(): Promise<void> {
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt += 1) {
      try {
        await unlessAborted(this.#options.ready ?? Promise.resolve(), this.#stopping.signal);
        this.#stopping.signal.throwIfAborted();
        await this.#options.guard(async () => await nameRefusals(async () => await this.#connectAdmin()));
        // After close() has left the group, no new member may join.
        this.#stopping.signal.throwIfAborted();
        await this.#runConsumer();
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        const named = kafkaRefusalOf(error) ?? error;
        this.#tellRefusedStart(named instanceof Error ? named : new Error(String(named)), attempt);
      }
      await delay(Math.min(pauseMsMax, 250 * 2 ** Math.min(attempt, 3)), undefined, { signal: this.#stopping.signal }).catch(
        () => undefined,
      );
    }
  }

  #tellRefusedStart(error: Error, attempt: number): void {
    // A crash has been reported already. A call that our own circuit rejected did not reach Kafka.
    if (error === this.#crash || error instanceof RejectedError) return;
    this.#options.log('warn', `The consumer could not start; the sink retries: ${error.message}`, { err: error, attempt });
    this.#listener?.startRefused(error);
  }

  async #connectAdmin(): Promise<void> {
    await this.#admin.connect();
    const { clusterId, ...topic } = await readTopicSafety(this.#admin, this.#options.topic);
    this.#listener?.connected(clusterId, topic);
  }

  async #runConsumer(): Promise<void> {
    const { topic, groupId, metadataMs } = this.#options;
    const consumer = this.#kafka.consumer({
      groupId,
      sessionTimeout: 6000,
      heartbeatInterval: 1000,
      rebalanceTimeout: 10_000,
      maxWaitTimeInMs: 250,
      metadataMaxAge: metadataMs,
      // The limit fits the largest batch of the topic, because a broker sends a larger batch only in the first partition of a response.
      maxBytesPerPartition: this.#options.maxMessageBytes + messageOverheadBytes,
      maxBytes: 8 * (this.#options.maxMessageBytes + messageOverheadBytes),
      allowAutoTopicCreation: false,
      // A crash ends this consumer, and #consume begins a new one: kafkajs's own restart would be a second layer of retries.
      retry: { restartOnFailure: async () => false },
    });
    this.#consumer = consumer;
    let ended = false;
    const crashed = new Promise<never>((_resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        // kafkajs stops the consumer first, so that the race below does not see the crash.
        this.#crash = kafkaRefusalOf(payload.error) ?? payload.error;
        this.#listener?.crashed(this.#crash);
        reject(this.#crash);
      });
    });
    // It may crash before anybody waits for it.
    crashed.catch(() => undefined);
    const stopped = new Promise<void>((resolve) => {
      consumer.on(consumer.events.STOP, () => {
        ended = true;
        this.#member = undefined;
        resolve();
      });
    });
    const contact = (): void => void (this.#lastContactMs = Date.now());
    consumer.on(consumer.events.FETCH, contact);
    consumer.on(consumer.events.HEARTBEAT, contact);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // A join that was under way when the consumer was stopped may still succeed.
      if (ended) return;
      this.#member = consumer;
      contact();
      const partitions = (payload.memberAssignment[topic] ?? []).toSorted((a, b) => a - b);
      this.#commits.keepOnly(partitions);
      this.#listener?.assigned(partitions);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 8,
        eachBatch: async (payload) => await this.#handle(payload),
      });
      await Promise.race([crashed, stopped]);
    } finally {
      await consumer.disconnect().catch(() => undefined);
    }
  }

  async #handle(payload: EachBatchPayload): Promise<void> {
    const { partition } = payload.batch;
    const context: FetchContext = { topic: this.#options.topic };
    const handler = this.getHandlerByPattern(recordsPattern);
    if (handler === null) throw new Error(`no handler is registered for ${recordsPattern}`);
    const { fetchedOffset, answer } = answerOf(payload.batch);
    let from = fetchedOffset;
    // Decode run by run: compressed batches may hold far more bytes than were fetched.
    for (const run of readAnswer(answer, fetchedOffset)) {
      const fetched: FetchedRecords = { partition, fetchedOffset: from, ...run };
      const outcome = await lastValueFrom(
        this.transformToObservable<BatchOutcome>((await handler(fetched, context)) as Promise<BatchOutcome>),
      );
      if (!outcome.taken) break;
      from = run.next;
      payload.resolveOffset(String(from - 1));
      await payload.heartbeat();
    }
    await payload.heartbeat();
  }

  async #commitNow(): Promise<void> {
    await this.#commits.send(async (offsets) => {
      if (this.#member === undefined) throw new Error('out of the group');
      await this.#member.commitOffsets(offsets.map((offset) => ({ topic: this.#options.topic, ...offset })));
    });
  }
}

function kafkaOf({ clientId, access, log }: KafkaBatchOptions, attemptsMax: number): kafkajs.Kafka {
  return kafkaClient({
    clientId,
    ...kafkajsAccess(access),
    connectionTimeout: 2000,
    requestTimeout: 10_000,
    retry: { initialRetryTime: 200, maxRetryTime: 2000, retries: attemptsMax - 1 },
    logLevel: logLevel.INFO,
    logCreator: logCreatorOf(log),
  });
}

// kafkajs logs a rebalance or a lost connection as an error and recovers by itself. Nothing is lost, so the sink logs a warning.
function logCreatorOf(log: KafkaBatchOptions['log']): logCreator {
  const levels = {
    [logLevel.ERROR]: 'warn',
    [logLevel.WARN]: 'warn',
    [logLevel.INFO]: 'debug',
    [logLevel.DEBUG]: 'debug',
    [logLevel.NOTHING]: 'debug',
  } as const;
  return () =>
    ({ level, log: { message, timestamp: _timestamp, logger: _logger, ...fields } }) =>
      log(levels[level], `kafkajs: ${message}`, fields);
}
