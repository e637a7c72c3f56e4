import type { EngineName, LayoutName } from '@millrace/contracts';
import { isLanded, Ledger, type GlueCatalog, type ObjectStore } from '@millrace/lake';
import type { ProjectedTable } from './projected-table.ts';

/** An event that a query waits for. */
export interface AwaitedOffset {
  readonly table: string;
  readonly partition: number;
  readonly offset: number;
}

/** A query that waits for events. */
export interface AwaitingQuery {
  readonly engine: EngineName;
  readonly layout?: LayoutName;
  readonly waitFor?: readonly AwaitedOffset[];
}

/** A table with its ledger, its catalog and its projection. */
export interface CoveredTable {
  readonly projected: ProjectedTable;
  readonly store: ObjectStore;
  readonly catalog: Pick<GlueCatalog, 'partitions'>;
}

/** Returns whether the layout of a query holds the events that the query waits for. */
export class Coverage {
  readonly #tables: ReadonlyMap<string, CoveredTable>;

  constructor(tables: ReadonlyMap<string, CoveredTable>) {
    this.#tables = tables;
  }

  /** Whether a query that starts now reads every event that it waits for. A rejected or doubled event counts once its offset has landed. */
  async isCovered({ engine, layout, waitFor = [] }: AwaitingQuery, signal: AbortSignal): Promise<boolean> {
    for (const [name, awaited] of Map.groupBy(waitFor, ({ table }) => table)) {
      const table = this.#tables.get(name);
      if (table === undefined) return false;
      const readsSnapshot = engine !== 'duckdb' && layout === 'iceberg';
      const isHeld = readsSnapshot ? await this.#isInSnapshot(table, awaited, signal) : await this.#hasLanded(table, awaited, signal);
      if (!isHeld) return false;
    }
    return true;
  }

  async #isInSnapshot(table: CoveredTable, awaited: readonly AwaitedOffset[], signal: AbortSignal): Promise<boolean> {
    const pinned = await table.projected.pinned();
    // The query will read the base.
    if ('fallback' in pinned) return await this.#hasLanded(table, awaited, signal);
    const { position } = pinned.state;
    return awaited.every(({ partition, offset }) => (position[partition]?.to ?? 0) > offset);
  }

  async #hasLanded({ projected, store, catalog }: CoveredTable, awaited: readonly AwaitedOffset[], signal: AbortSignal): Promise<boolean> {
    const { stream } = projected;
    const days = new Set<string>();
    for (const [partition, some] of Map.groupBy(awaited, (one) => one.partition)) {
      const ledger = new Ledger(store, { table: stream.table, topic: stream.topic.name, partition });
      let seenFrom = Number.POSITIVE_INFINITY;
      // From the newest on: an entry that holds several of them is read once.
      for (const offset of some.map((one) => one.offset).toSorted((a, b) => b - a)) {
        if (offset >= seenFrom) continue;
        const entry = await ledger.entryHolding(offset, { signal });
        if (entry === undefined || !(await isLanded(store, entry, { signal }))) return false;
        seenFrom = entry.from;
        for (const { dt } of entry.files) days.add(dt);
      }
    }
    if (days.size === 0) return true;
    // The base holds a file once the catalog knows its day.
    const registered = new Set((await catalog.partitions({ signal })).map(({ value }) => value));
    return [...days].every((day) => registered.has(day));
  }
}
