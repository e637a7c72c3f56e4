import type { Admin, Consumer } from 'kafkajs';
import type { KafkaClient } from '../kafka-batch-strategy.ts';

type Listener = (event: { payload: unknown }) => void;

/** kafkajs without a network, as far as the transport uses it. Like the real one it throws at whoever seeks or pauses while there is no group. */
export class FakeKafka implements KafkaClient {
  /** What consumers were told, in order. */
  readonly told: string[] = [];
  /** What the admin client is asked for. */
  readonly adminAnswers: { fetchTopicOffsets: () => Promise<{ partition: number; low: string; high: string }[]>; describeConfigs: () => Record<string, string> } = {
    fetchTopicOffsets: async () => [],
    describeConfigs: () => ({}),
  };
  #consumer: FakeConsumer | undefined;

  admin(): Admin {
    const answers = this.adminAnswers;
    return {
      connect: async () => undefined,
      disconnect: async () => undefined,
      describeCluster: async () => ({ clusterId: 'cluster-1' }),
      describeConfigs: async () => ({ resources: [{ configEntries: Object.entries(answers.describeConfigs()).map(([configName, configValue]) => ({ configName, configValue })) }] }),
      fetchTopicOffsets: async () => (await answers.fetchTopicOffsets()).map((one) => ({ ...one, offset: one.high })),
    } as unknown as Admin;
  }

  consumer(): Consumer {
    this.#consumer = new FakeConsumer(this.told);
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
  readonly events = { CRASH: 'consumer.crash', STOP: 'consumer.stop', FETCH: 'consumer.fetch', HEARTBEAT: 'consumer.heartbeat', GROUP_JOIN: 'consumer.group_join' };
  readonly #told: string[];
  readonly #listeners = new Map<string, Listener[]>();
  runs = false;

  constructor(told: string[]) {
    this.#told = told;
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
