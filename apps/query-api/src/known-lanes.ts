import type { Stream } from '@millrace/contracts';
import { lanesOfTopic, type CallOptions, type LaneId, type ObjectStore } from '@millrace/lake';

/**
 * One reader for each lane of a table. The contract names the partitions that the topic had at its creation. A topic may grow, so each
 * read lists the ledger: a lane that is missing here would be missing in answers.
 */
export class KnownLanes<Reader> {
  readonly #store: Pick<ObjectStore, 'listFolders'>;
  readonly #lane: Omit<LaneId, 'partition'>;
  readonly #make: (lane: LaneId) => Reader;
  readonly #readers: Reader[] = [];

  /**
   * @param stream its topic has at least `topic.partitions` lanes
   * @param make makes the reader of a lane
   */
  constructor(
    store: Pick<ObjectStore, 'listFolders'>,
    { table, topic }: { readonly table: string; readonly topic: Pick<Stream['topic'], 'name' | 'partitions'> },
    make: (lane: LaneId) => Reader,
  ) {
    this.#store = store;
    this.#lane = { table, topic: topic.name };
    this.#make = make;
    this.#growTo(topic.partitions);
  }

  /**
   * Lists the ledger and returns the readers by partition: those of the contract, and those up to the last partition that has a ledger.
   *
   * @throws LakeError when the store does not answer
   */
  async read(options: CallOptions = {}): Promise<readonly Reader[]> {
    const last = (await lanesOfTopic(this.#store, this.#lane, options)).at(-1);
    if (last !== undefined) this.#growTo(last.partition + 1);
    return [...this.#readers];
  }

  #growTo(count: number): void {
    while (this.#readers.length < count) this.#readers.push(this.#make({ ...this.#lane, partition: this.#readers.length }));
  }
}
