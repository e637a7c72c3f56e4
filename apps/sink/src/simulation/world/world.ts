import type { LedgerEntry } from '@millrace/lake';
import { rowsOf } from '../parts/memory-spool.ts';
import { SimulatedBucket } from '../parts/simulated-store.ts';
import { SimulatedTopic } from '../parts/simulated-log.ts';
import { tick } from '../parts/tick.ts';
import { check, Writer, type WriterOptions } from './writer.ts';

/** Everything outside the processes: the topic, the bucket, the catalog. */
export class World {
  readonly topic = new SimulatedTopic();
  readonly bucket = new SimulatedBucket();
  readonly registered = new Set<string>();
  /** Milliseconds since the epoch, by every machine's clock. */
  now = 0;
  #ids = 0;

  /** Starts a writer on this world. */
  writer(options: WriterOptions = {}): Writer {
    return new Writer(this, options);
  }

  /** Numbers that no two batches share. */
  nextId(): number {
    this.#ids += 1;
    return this.#ids;
  }

  /** Lets a writer consume and land everything, or live until it dies. Bounded: a lane that hangs fails the test that uses it. */
  async run(writer: Writer, fetchCount = 3): Promise<void> {
    writer.start();
    for (let turns = 0; turns < 5000; turns += 1) {
      await tick();
      if (!writer.life.alive || writer.lane.state.kind === 'refused') return;
      if (writer.lane.state.kind !== 'running') continue;
      // Not awaited: a dead writer's take never returns.
      const fetched = await Promise.race([writer.log.fetch(writer.lane, fetchCount), writer.life.death.then(() => false)]);
      if (fetched) continue;
      if (writer.lane.landed === this.topic.high) return;
      if (writer.lane.queued === 0) writer.flush();
    }
    throw new Error(`the writer did not land ${this.topic.high}: its position is ${writer.lane.position}, landed ${writer.lane.landed}`);
  }

  /** The entries from the oldest to the newest. */
  entries(): LedgerEntry[] {
    return this.bucket
      .keys('_ledger/')
      .map((key) => this.bucket.json(key) as LedgerEntry)
      .toReversed();
  }

  /** The rows that a reader of the table sees: every row of every visible file. */
  rows(): { _offset: number; event_id: string }[] {
    return this.bucket.keys('purchases/').flatMap((key) => rowsOf(this.bucket.objects.get(key)!));
  }

  /** Whether the ledger, if it names a record at all, was written from the first log. */
  isOfTheFirstLog(): boolean {
    const stamps = new Set(this.entries().flatMap(({ last }) => (last === undefined ? [] : [last.timestamp])));
    if (stamps.size > 1) throw new Error(`the ledger holds records of two logs: ${[...stamps].join(' and ')}`);
    return !stamps.has('1800000000000');
  }

  /** Offsets of the records that fit the contract. */
  accepted(): number[] {
    return this.topic.records.filter((record) => check(record).kind === 'row').map(({ offset }) => offset);
  }
}
