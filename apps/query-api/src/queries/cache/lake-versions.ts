import { createHash } from 'node:crypto';
import type { Stream } from '@millrace/contracts';
import { topicsOf, type CatalogPartition, type GlueCatalog, type ObjectStore } from '@millrace/lake';
import { unlessAborted, type Pipeline } from '@millrace/resilience';
import { KnownLanes } from '../../known-lanes.ts';
import type { PartitionFilter, TableReads } from '../../statement/table-reads.ts';
import { LaneHead } from './lane-head.ts';
import { RecentRead } from './recent-read.ts';

/** Time for which the name of a table's topic is remembered, in milliseconds. Only an operator gives a table another topic. */
const topicMs = 60_000;

/** The state of one table that a result was computed from. */
export interface TableVersion {
  readonly table: string;
  readonly topic: string;
  /** The offset up to which each lane had landed, by partition of the topic. */
  readonly offsets: readonly number[];
  /** Digest of the registered partitions that the statement may read. */
  readonly partitions: string;
}

/** The state of every table that a statement reads. */
export type LakeVersion = readonly TableVersion[];

/** The state of the lake for one statement. */
export interface LakeView {
  readonly version: LakeVersion;
  /** Whether a result of an earlier version is the result of this one, too: nothing was added that the statement may read. */
  isSameFor(earlier: LakeVersion): boolean;
}

/** Kind of state: that of the landed files, or that of the Iceberg table that the catalog names. */
export type VersionScope = 'landed' | 'projected';

/** Reads the state of the lake for statements. */
export interface LakeVersions {
  /**
   * The state now. Undefined when it is not known, or is just changing.
   *
   * @param scope `landed` by default
   * @param ageMsMax age that the state may have, in milliseconds. Default 0: it is read after this call
   */
  read(reads: TableReads, signal: AbortSignal, scope?: VersionScope, ageMsMax?: number): Promise<LakeView | undefined>;
}

/** Digest of the registered partitions for an engine that reads a snapshot: they have no part in it. */
export const snapshotDigest = 'iceberg';

/** Digest of the registered partitions that a statement may read. */
export function partitionsDigest(values: Iterable<string>): string {
  return createHash('sha256')
    .update(JSON.stringify([...values].toSorted()))
    .digest('base64url');
}

/** A table and the places of its state. */
export interface VersionedTable {
  readonly stream: Stream;
  readonly store: ObjectStore;
  readonly catalog: Pick<GlueCatalog, 'partitions' | 'locationOf'>;
  /** Reads the offsets of the snapshot that the catalog names, by partition of the topic. Undefined when no snapshot can be read. */
  readonly projectedOffsets?: () => Promise<readonly number[] | undefined>;
}

interface TableState {
  readonly topic: string;
  readonly heads: readonly LaneHead[];
  readonly offsets: readonly number[];
  readonly partitions: readonly CatalogPartition[];
  /** The offsets of the snapshot that the catalog names. */
  readonly projected: readonly number[] | undefined;
}

/**
 * Reads the version of tables from their ledgers and from the catalog. The landed offset of each lane identifies an exact set of files, and
 * the catalog names the partitions that engines read.
 */
export class LedgerVersions implements LakeVersions {
  readonly #tables: ReadonlyMap<
    string,
    { readonly table: VersionedTable; readonly states: Readonly<Record<VersionScope, RecentRead<TableState>>> }
  >;

  /**
   * @param pipeline one that answers undefined where it fails, so that a result counts as unknown
   * @param now epoch milliseconds
   */
  constructor(tables: readonly VersionedTable[], pipeline: Pipeline, now: () => number) {
    this.#tables = new Map(
      tables.map((table) => {
        const lanes = new TableLanes(table, now);
        const statesIn = (scope: VersionScope): RecentRead<TableState> =>
          new RecentRead(
            async () =>
              (await pipeline.execute(async ({ signal }) => await lanes.read(scope, signal), { idempotent: true })) as
                | TableState
                | undefined,
            now,
          );
        return [table.stream.table, { table, states: { landed: statesIn('landed'), projected: statesIn('projected') } }];
      }),
    );
  }

  async read(reads: TableReads, signal: AbortSignal, scope: VersionScope = 'landed', ageMsMax = 0): Promise<LakeView | undefined> {
    const views = await unlessAborted(
      Promise.all([...reads].map(async ([name, filter]) => await this.#viewOf(name, filter, scope, ageMsMax))),
      signal,
    );
    if (views === undefined) return undefined;
    const known = views.filter((view) => view !== undefined);
    if (known.length < views.length) return undefined;
    return {
      version: known.map(({ version }) => version),
      isSameFor: (earlier) =>
        earlier.length === known.length &&
        known.every(({ version, isSameFor }) => earlier.some((other) => other.table === version.table && isSameFor(other))),
    };
  }

  async #viewOf(
    name: string,
    filter: PartitionFilter,
    scope: VersionScope,
    ageMsMax: number,
  ): Promise<{ readonly version: TableVersion; readonly isSameFor: (earlier: TableVersion) => boolean } | undefined> {
    const known = this.#tables.get(name);
    const state = await known?.states[scope].read(ageMsMax);
    if (known === undefined || state === undefined) return undefined;
    if (scope === 'projected')
      return state.projected === undefined ? undefined : viewAt(name, state, state.projected, snapshotDigest, filter);
    const read = state.partitions.filter(({ value }) => filter(value));
    // Partitions elsewhere are those of another ledger, such as that of a replay.
    if (read.some(({ value, location }) => location !== known.table.catalog.locationOf(value))) return undefined;
    return viewAt(name, state, state.offsets, partitionsDigest(read.map(({ value }) => value)), filter);
  }
}

function viewAt(
  table: string,
  { topic, heads }: TableState,
  offsets: readonly number[],
  partitions: string,
  filter: PartitionFilter,
): { readonly version: TableVersion; readonly isSameFor: (earlier: TableVersion) => boolean } {
  return {
    version: { table, topic, offsets, partitions },
    isSameFor: (earlier) =>
      earlier.topic === topic &&
      earlier.partitions === partitions &&
      earlier.offsets.length === offsets.length &&
      offsets.every((offset, lane) => heads[lane]!.isUntouched(earlier.offsets[lane]!, offset, filter)),
  };
}

/** The lanes of one table. */
class TableLanes {
  readonly #table: VersionedTable;
  readonly #now: () => number;
  #known: { readonly topic: string; readonly lanes: KnownLanes<LaneHead>; readonly at: number } | undefined;

  constructor(table: VersionedTable, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  async read(scope: VersionScope, signal: AbortSignal): Promise<TableState | undefined> {
    if (scope === 'projected') {
      // The position first: the heads have then seen every entry before it.
      const projected = await this.#table.projectedOffsets?.();
      const lanes = await this.#offsets(signal);
      return lanes === undefined ? undefined : { ...lanes, partitions: [], projected };
    }
    const [partitions, lanes] = await Promise.all([this.#table.catalog.partitions({ signal }), this.#offsets(signal)]);
    return lanes === undefined ? undefined : { ...lanes, partitions, projected: undefined };
  }

  async #offsets(signal: AbortSignal): Promise<Omit<TableState, 'partitions' | 'projected'> | undefined> {
    const known = await this.#lanes(signal);
    if (known === undefined) return undefined;
    const heads = await known.lanes.read({ signal });
    const offsets = await Promise.all(heads.map(async (head) => await head.follow(signal)));
    const landed = offsets.filter((offset) => offset !== undefined);
    return landed.length < offsets.length ? undefined : { topic: known.topic, heads, offsets: landed };
  }

  /** Undefined for a table without a ledger, whose files tell nothing of its state, and for one with several topics. */
  async #lanes(signal: AbortSignal): Promise<{ readonly topic: string; readonly lanes: KnownLanes<LaneHead> } | undefined> {
    const { stream, store } = this.#table;
    if (this.#known !== undefined && this.#now() - this.#known.at < topicMs) return this.#known;
    const topics = await topicsOf(store, stream.table, { signal });
    const [topic] = topics;
    if (topic === undefined || topics.length > 1) {
      this.#known = undefined;
      return undefined;
    }
    const lanes =
      this.#known?.topic === topic
        ? this.#known.lanes
        : new KnownLanes(
            store,
            { table: stream.table, topic: { name: topic, partitions: stream.topic.partitions } },
            (lane) => new LaneHead(store, lane),
          );
    this.#known = { topic, lanes, at: this.#now() };
    return this.#known;
  }
}
