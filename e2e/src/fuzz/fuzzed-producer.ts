import { batchBytes, RawProducer, type BatchCodec, type ProducerIdentity } from '@millrace/kafka/testing';
import type { FuzzedRecord, RecordFuzzer } from './fuzzed-record.ts';
import type { Chooser } from './chooser.ts';

const codecs: readonly BatchCodec[] = ['none', 'gzip', 'snappy', 'xerial', 'lz4', 'zstd'];

/** A record that a read-committed consumer may see. */
export interface JournalLine extends FuzzedRecord {
  readonly partition: number;
  readonly offset: number;
}

interface Transaction {
  readonly id: string;
  readonly identity: ProducerIdentity;
  readonly sequences: Map<number, number>;
  readonly joined: Set<number>;
  pending: JournalLine[];
  batchesLeft: number;
}

/** Writes a topic in batches of any layout, some of them in overlapping transactions, and keeps a journal. */
export class FuzzedProducer {
  readonly journal: JournalLine[] = [];
  readonly counts = { batches: 0, committed: 0, aborted: 0, hidden: 0, markers: 0 };
  readonly #producer: RawProducer;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #choose: Chooser;
  readonly #records: RecordFuzzer;
  readonly #transactions: Transaction[] = [];

  private constructor(producer: RawProducer, topic: string, partitions: number, choose: Chooser, records: RecordFuzzer) {
    this.#producer = producer;
    this.#topic = topic;
    this.#partitions = partitions;
    this.#choose = choose;
    this.#records = records;
  }

  static async open(broker: string, topic: string, partitions: number, choose: Chooser, records: RecordFuzzer): Promise<FuzzedProducer> {
    const fuzzed = new FuzzedProducer(await RawProducer.connect(broker), topic, partitions, choose, records);
    for (let n = 0; n < 3; n += 1) {
      const id = `${topic}-${n}`;
      fuzzed.#transactions.push({
        id,
        identity: await fuzzed.#producer.initTransactions(id),
        sequences: new Map(),
        joined: new Set(),
        pending: [],
        batchesLeft: 0,
      });
    }
    return fuzzed;
  }

  /** Produces batches until the journal has so many records, those of open transactions included. */
  async produceUntil(records: number): Promise<void> {
    while (this.journal.length + this.#transactions.reduce((sum, { pending }) => sum + pending.length, 0) < records) {
      if (this.#choose.chance(0.3)) await this.#produceIn(this.#choose.of(this.#transactions));
      else this.journal.push(...(await this.#produceBatch(undefined, this.#choose.below(this.#partitions))));
    }
  }

  /** Ends every open transaction. */
  async finish(): Promise<void> {
    for (const transaction of this.#transactions) if (transaction.joined.size > 0) await this.#end(transaction);
  }

  close(): void {
    this.#producer.close();
  }

  async #produceIn(transaction: Transaction): Promise<void> {
    const partition = this.#choose.below(this.#partitions);
    if (transaction.joined.size === 0) transaction.batchesLeft = 1 + this.#choose.below(6);
    if (!transaction.joined.has(partition))
      await this.#producer.addToTransaction(transaction.id, transaction.identity, this.#topic, partition);
    transaction.joined.add(partition);
    transaction.pending.push(...(await this.#produceBatch(transaction, partition)));
    transaction.batchesLeft -= 1;
    if (transaction.batchesLeft === 0) await this.#end(transaction);
  }

  async #end(transaction: Transaction): Promise<void> {
    const commit = this.#choose.chance(0.6);
    await this.#producer.endTransaction(transaction.id, transaction.identity, commit);
    if (commit) this.journal.push(...transaction.pending);
    else this.counts.hidden += transaction.pending.length;
    this.counts[commit ? 'committed' : 'aborted'] += 1;
    // One for each partition that it wrote to.
    this.counts.markers += transaction.joined.size;
    transaction.pending = [];
    transaction.joined.clear();
  }

  async #produceBatch(transaction: Transaction | undefined, partition: number): Promise<JournalLine[]> {
    const made = Array.from({ length: 1 + this.#choose.below(this.#choose.of([1, 10, 50, 200])) }, () => this.#records.next(partition));
    const sequence = transaction?.sequences.get(partition) ?? 0;
    const batch = batchBytes({
      records: made.map(({ record }) => record),
      codec: this.#choose.of(codecs),
      firstTimestamp: this.#choose.of([0n, 1_700_000_000_000n, 4_000_000_000_000n]) + 1n,
      ...(transaction === undefined
        ? {}
        : {
            transactional: true,
            producerId: transaction.identity.producerId,
            producerEpoch: transaction.identity.epoch,
            baseSequence: sequence,
          }),
    });
    const base = await this.#producer.produce(this.#topic, partition, batch, transaction?.id);
    transaction?.sequences.set(partition, sequence + made.length);
    this.counts.batches += 1;
    return made.map((one, n) => ({ ...one, partition, offset: base + n }));
  }
}
