import { createHash } from 'node:crypto';
import type { UndecodableBatch } from '@millrace/kafka';
import type { Lane } from '../../lane/lane.ts';
import type { LogRecord, PartitionLog } from '../../kafka/log.ts';
import type { Incarnation } from './incarnation.ts';

/** The records of the simulated partition, shared by every incarnation. */
export class SimulatedTopic {
  cluster = 'cluster-1';
  low = 0;
  readonly records: LogRecord[] = [];
  readonly undecodable: UndecodableBatch[] = [];
  #high = 0;

  get high(): number {
    return this.#high;
  }

  append(value: string | null, timestamp = '1700000000000'): number {
    const offset = this.#high;
    this.#high += 1;
    this.records.push({ offset, timestamp, key: null, value: value === null ? null : Buffer.from(value), headers: [] });
    return offset;
  }

  /** Offsets that hold no record: transaction markers, compaction. */
  skip(count: number): void {
    this.#high += count;
  }

  /** A batch of so many records that cannot be decoded. */
  corrupt(count: number, reason: string): UndecodableBatch {
    const from = this.#high;
    this.#high += count;
    const bytes = Buffer.from(`batch at ${from}`);
    const batch: UndecodableBatch = {
      from,
      to: this.#high,
      code: 'unknown-codec',
      reason,
      bytes,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      header: undefined,
    };
    this.undecodable.push(batch);
    return batch;
  }

  /** Deletes and recreates the topic: the same offsets hold other records. */
  recreate(values: readonly string[], timestamp: string): void {
    this.records.length = 0;
    this.low = 0;
    this.#high = 0;
    for (const value of values) this.append(value, timestamp);
  }

  from(offset: number, count: number): LogRecord[] {
    return this.records.filter((record) => record.offset >= Math.max(offset, this.low)).slice(0, count);
  }
}

/** One incarnation's handle on the partition: fetches as kafkajs does, and keeps its own fetch position. */
export class SimulatedLog implements PartitionLog {
  readonly #topic: SimulatedTopic;
  readonly #life: Incarnation;
  #position = 0;
  #paused = false;

  constructor(topic: SimulatedTopic, life: Incarnation) {
    this.#topic = topic;
    this.#life = life;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get position(): number {
    return this.#position;
  }

  async range(): Promise<{ low: number; high: number }> {
    return await this.#life.effect('log range', () => ({ low: this.#topic.low, high: this.#topic.high }));
  }

  seek(offset: number): void {
    this.#position = offset;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  commit(offset: number): void {
    void this.#life.effect(`commit ${offset}`, () => undefined);
  }

  /** Fetches once and hands the records to the lane. False when there was nothing to fetch. */
  async fetch(lane: Pick<Lane, 'take'>, count: number): Promise<boolean> {
    if (this.#paused || !this.#life.alive) return false;
    // kafkajs silently resets a position outside the log.
    if (this.#position < this.#topic.low || this.#position > this.#topic.high) this.#position = this.#topic.low;
    const fetchedOffset = this.#position;
    const found = this.#topic.from(fetchedOffset, count);
    const end = found.length < count ? this.#topic.high : found.at(-1)!.offset + 1;
    const undecodable = this.#topic.undecodable.find(({ from, to }) => to! > fetchedOffset && from < end);
    const records = found.filter(({ offset }) => undecodable === undefined || offset < undecodable.from);
    const next = undecodable === undefined ? end : Math.max(fetchedOffset, undecodable.from);
    if (next === fetchedOffset && undecodable === undefined) return false;
    const taken = await lane.take({ partition: 0, fetchedOffset, records, next, ...(undecodable === undefined ? {} : { undecodable }) });
    // A seek in the meantime overrides the resolved offset.
    if (taken && this.#position === fetchedOffset) this.#position = next;
    return true;
  }
}
