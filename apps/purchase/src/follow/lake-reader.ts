import { utcDate, type Stream } from '@millrace/contracts';
import type { GlueCatalog, Ledger, LedgerEntry, S3ObjectStore } from '@millrace/lake';

/** The ledger's verdict on a record. */
export type LakeVerdict = 'waiting' | 'row' | 'dropped' | 'rejected' | 'absent';

/** The batch and the file of a record. */
export interface LakePlace {
  readonly verdict: LakeVerdict;
  /** The batch; undefined while it waits. */
  readonly batch?: { readonly id: string; readonly from: number; readonly to: number };
  /** File with the row or the rejected record; undefined if the day of the event is not known. */
  readonly file?: string;
  readonly dt?: string;
  /** Time at which the file became visible; undefined if it is not there. */
  readonly landedAt?: Date;
  /** Whether a later batch is recorded, so that the file must be there. */
  readonly hasSuccessor?: boolean;
}

/** Reads the ledger and the catalog of a stream. */
export class LakeReader {
  readonly #stream: Stream;
  readonly #store: Pick<S3ObjectStore, 'modifiedAt'> & ConstructorParameters<typeof Ledger>[0];
  readonly #catalog: Pick<GlueCatalog, 'registeredAt'>;
  readonly #Ledger: typeof Ledger;

  /** @param ledger the class itself: the module of the lake loads only where the service has a lake */
  constructor(
    stream: Stream,
    store: Pick<S3ObjectStore, 'modifiedAt'> & ConstructorParameters<typeof Ledger>[0],
    catalog: Pick<GlueCatalog, 'registeredAt'>,
    ledger: typeof Ledger,
  ) {
    this.#stream = stream;
    this.#store = store;
    this.#catalog = catalog;
    this.#Ledger = ledger;
  }

  /**
   * Finds the batch of a record and its file: one LIST, one GET, one HEAD.
   *
   * @param eventTime time of the event in epoch seconds: it decides between the files of a batch
   * @throws LakeError when S3 does not answer
   */
  async placeOf(partition: number, offset: number, eventTime: number | undefined, signal: AbortSignal): Promise<LakePlace> {
    const { table, topic } = this.#stream;
    const ledger = new this.#Ledger(this.#store, { table, topic: topic.name, partition });
    const entry = await ledger.entryHolding(offset, { signal });
    if (entry === undefined) return { verdict: 'waiting' };
    const batch = { id: entry.id, from: entry.from, to: entry.to };
    const verdict = verdictOf(entry, offset);
    if (verdict === 'dropped' || verdict === 'absent') return { verdict, batch };
    const file = verdict === 'rejected' ? entry.rejects : fileOf(entry, eventTime);
    if (file === undefined) return { verdict, batch };
    const dt = 'dt' in file ? file.dt : undefined;
    const landedAt = await this.#store.modifiedAt(file.key, { signal });
    const facts = { verdict, batch, file: file.key, ...(dt === undefined ? {} : { dt }) };
    if (landedAt !== undefined) return { ...facts, landedAt };
    return { ...facts, hasSuccessor: (await ledger.entryHolding(entry.to, { signal })) !== undefined };
  }

  /** The time at which the catalog learnt of a day. @throws LakeError when Glue does not answer */
  async registeredAt(dt: string, signal: AbortSignal): Promise<Date | undefined> {
    return await this.#catalog.registeredAt(dt, { signal });
  }
}

function verdictOf(entry: LedgerEntry, offset: number): LakeVerdict {
  const isIn = (ranges: readonly (readonly number[])[]): boolean => ranges.some(([from, to]) => offset >= from! && offset < to!);
  if (entry.kind === 'gap' || isIn(entry.absent)) return 'absent';
  if (isIn(entry.dropped)) return 'dropped';
  return isIn(entry.rejected) ? 'rejected' : 'row';
}

function fileOf({ files }: LedgerEntry, eventTime: number | undefined): LedgerEntry['files'][number] | undefined {
  if (files.length === 1) return files[0];
  return eventTime === undefined ? undefined : files.find(({ dt }) => dt === utcDate(eventTime));
}
