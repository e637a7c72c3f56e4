import type { Admin, Consumer } from 'kafkajs';
import type { KafkaClient } from '../kafka/kafka-batch-strategy.ts';

type Listener = (event: { payload: unknown }) => void;

/** kafkajs without a network, as far as the transport uses it. Like the real one, it throws on seek and pause outside the group. */
export class FakeKafka implements KafkaClient {
  /** The calls to all consumers, in order. */
  readonly told: string[] = [];
  /** Answers of the admin client for the ends of the topic. */
  fetchTopicOffsets: () => Promise<{ partition: number; low: string; high: string }[]> = async () => [];
  /** Answers of the admin client for the offsets of the group. */
  fetchOffsets: () => Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]> = async () => [];
  /** Result of connecting the admin client. */
  connectAdmin: () => Promise<void> = async () => undefined;
  /** Result of disconnecting a consumer. */
  disconnect: () => Promise<void> = async () => undefined;
  #consumer: FakeConsumer | undefined;

  admin(): Admin {
    return {
      connect: async () => await this.connectAdmin(),
      disconnect: async () => undefined,
      describeCluster: async () => ({ clusterId: 'cluster-1', brokers: [] }),
      fetchTopicMetadata: async () => ({ topics: [] }),
      describeConfigs: async () => ({ resources: [] }),
      fetchTopicOffsets: async () => await this.fetchTopicOffsets(),
      fetchOffsets: async () => await this.fetchOffsets(),
    } as unknown as Admin;
  }

  consumer(): Consumer {
    this.#consumer = new FakeConsumer(this.told, async () => await this.disconnect());
    return this.#consumer as unknown as Consumer;
  }

  /** Resolves when a consumer runs. */
  async running(): Promise<void> {
    while (this.#consumer?.runs !== true) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The group gives partitions to the consumer that runs. */
  join(topic: string, partitions: readonly number[]): void {
    this.#consumer!.emit('consumer.group_join', { memberAssignment: { [topic]: partitions } });
  }

  /** kafkajs gives the consumer up. */
  crash(): void {
    const consumer = this.#consumer!;
    consumer.end();
    consumer.emit('consumer.crash', { error: new Error('the connection was lost') });
  }
}

class FakeConsumer {
  readonly events = {
    CRASH: 'consumer.crash',
    STOP: 'consumer.stop',
    FETCH: 'consumer.fetch',
    HEARTBEAT: 'consumer.heartbeat',
    GROUP_JOIN: 'consumer.group_join',
  };
  readonly #told: string[];
  readonly #leave: () => Promise<void>;
  readonly #listeners = new Map<string, Listener[]>();
  runs = false;

  constructor(told: string[], leave: () => Promise<void>) {
    this.#told = told;
    this.#leave = leave;
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  emit(event: string, payload: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener({ payload });
  }

  async connect(): Promise<void> {}

  async subscribe(): Promise<void> {}

  async run(): Promise<void> {
    this.runs = true;
  }

  async disconnect(): Promise<void> {
    this.end();
    await this.#leave();
  }

  end(): void {
    if (!this.runs) return;
    this.runs = false;
    this.emit('consumer.stop', null);
  }

  seek({ partition, offset }: { partition: number; offset: string }): void {
    this.#tell(`seek ${partition} to ${offset}`);
  }

  pause([{ partitions }]: [{ partitions: number[] }]): void {
    this.#tell(`pause ${partitions.join(' ')}`);
  }

  resume([{ partitions }]: [{ partitions: number[] }]): void {
    this.#tell(`resume ${partitions.join(' ')}`);
  }

  #tell(what: string): void {
    if (!this.runs) throw new Error('Consumer group was not initialized, consumer#run must be called first');
    this.#told.push(what);
  }
}
