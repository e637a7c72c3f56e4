import type { LayoutFallback, Stream } from '@millrace/contracts';
import {
  chainStart,
  isLakeError,
  LaneTail,
  TableFiles,
  topicsOf,
  type CatalogPartition,
  type GlueCatalog,
  type ObjectStore,
  type PointerCatalog,
  type TableSnapshot,
  type Tail,
} from '@millrace/lake';
import { KnownLanes } from '../known-lanes.ts';
import { SharedRead } from '../queries/cache/shared-read.ts';

/** Time for which the topics of a table's ledger are remembered, in milliseconds. Only an operator adds one. */
const topicsMs = 60_000;

/** Parts of {@link ProjectedTable}. */
export interface ProjectedTableParts {
  readonly stream: Stream;
  readonly bucket: string;
  readonly store: Pick<ObjectStore, 'get' | 'size' | 'list' | 'listFolders'>;
  readonly catalog: Pick<GlueCatalog, 'partitions' | 'locationOf'>;
  /** The catalog's pointer to the Iceberg table. */
  readonly pointer: Pick<PointerCatalog, 'read'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A snapshot, and the files that landed after it. */
export interface SnapshotWithTail {
  readonly snapshot: TableSnapshot;
  /** One tail for each partition of the topic. */
  readonly tails: readonly Tail[];
  readonly partitions: readonly CatalogPartition[];
}

/** A state of the table, or the reason for which the projection cannot be read. */
export type Readable<T> = { readonly state: T } | { readonly fallback: LayoutFallback };

/**
 * The projection of one table, as readers see it. Concurrent statements share each read of the state, and no read is older than its
 * statement.
 */
export class ProjectedTable {
  readonly #parts: ProjectedTableParts;
  readonly files: TableFiles;
  readonly #withTail: SharedRead<Readable<SnapshotWithTail>>;
  readonly #pinned: SharedRead<Readable<TableSnapshot>>;
  readonly #tails: KnownLanes<LaneTail>;
  #topics: { readonly names: readonly string[]; readonly at: number } | undefined;

  constructor(parts: ProjectedTableParts) {
    this.#parts = parts;
    this.files = new TableFiles(parts);
    this.#tails = new KnownLanes(parts.store, parts.stream, (lane) => new LaneTail(parts.store, parts.stream, lane));
    this.#withTail = new SharedRead(async () => await readable(async () => await this.#readWithTail()));
    this.#pinned = new SharedRead(async () => await readable(async () => await this.#readPinned()));
  }

  get stream(): Stream {
    return this.#parts.stream;
  }

  /** The location at which the base of a partition is, unless its files belong to another ledger. */
  locationOf(partition: string): string {
    return this.#parts.catalog.locationOf(partition);
  }

  /** The newest snapshot and the files that landed after it, for an engine that takes a list of files. */
  async withTail(): Promise<Readable<SnapshotWithTail>> {
    return await this.#withTail.read();
  }

  /** The snapshot that the catalog names, for an engine that reads the catalog itself. */
  async pinned(): Promise<Readable<TableSnapshot>> {
    return await this.#pinned.read();
  }

  async #readWithTail(): Promise<Readable<SnapshotWithTail>> {
    const { stream, catalog } = this.#parts;
    const [snapshot, topics, partitions, lanes] = await Promise.all([
      this.files.newest(),
      this.#readTopics(),
      catalog.partitions(),
      this.#tails.read(),
    ]);
    if (snapshot === undefined) return { fallback: 'missing' };
    const { topic } = snapshot.commit;
    if (topic !== stream.topic.name || topics.some((name) => name !== topic)) return { fallback: 'relocated' };
    const tails = await Promise.all(lanes.map(async (tail, partition) => await tail.after(snapshot.position[partition] ?? chainStart)));
    const known = tails.filter((tail) => tail !== undefined);
    return known.length < tails.length ? { fallback: 'behind' } : { state: { snapshot, tails: known, partitions } };
  }

  async #readPinned(): Promise<Readable<TableSnapshot>> {
    const pointer = await this.#parts.pointer.read();
    if (pointer === undefined) return { fallback: 'missing' };
    const snapshot = pointer.location === undefined ? undefined : await this.files.at(pointer.location);
    if (snapshot === undefined) return { fallback: 'foreign' };
    return snapshot.commit.topic === this.#parts.stream.topic.name ? { state: snapshot } : { fallback: 'relocated' };
  }

  async #readTopics(): Promise<readonly string[]> {
    const { store, stream, now } = this.#parts;
    if (this.#topics !== undefined && now() - this.#topics.at < topicsMs) return this.#topics.names;
    const names = await topicsOf(store, stream.table);
    this.#topics = { names, at: now() };
    return names;
  }
}

/** The position of a snapshot as one offset for each partition: those of the contract, and those up to the last one with rows. */
export function offsetsOf({ topic }: Pick<Stream, 'topic'>, { position }: Pick<TableSnapshot, 'position'>): number[] {
  const last = Math.max(topic.partitions - 1, ...Object.keys(position).map(Number));
  return Array.from({ length: last + 1 }, (_, partition) => position[partition]?.to ?? 0);
}

/** Whether the store or the catalog answered that the projection cannot be read. Without an answer the base cannot be read either. */
function isUnreadable(error: unknown): boolean {
  return isLakeError(error, 'bad-entry') || isLakeError(error, 'file-lost') || isLakeError(error, 'denied');
}

/** Turns a projection that cannot be read into a reason. */
export async function readable<T>(read: () => Promise<Readable<T>>): Promise<Readable<T>> {
  try {
    return await read();
  } catch (error) {
    if (isUnreadable(error)) return { fallback: 'unreadable' };
    throw error;
  }
}
