import type { EngineName, LayoutFallback, LayoutName, Stream } from '@millrace/contracts';
import { icebergTableName, type SnapshotFile } from '@millrace/lake';
import { unlessAborted } from '@millrace/resilience';
import { mayHaveOlderFiles, type LakeTable } from '../engines/duckdb/lake-file.ts';
import type { Parameter } from '../engines/query-engine.ts';
import { QueryError } from '../errors.ts';
import { tooManyFiles } from '../lake-tables.ts';
import { partitionsDigest, snapshotDigest, type LakeVersion, type TableVersion } from '../queries/cache/lake-versions.ts';
import { readsOf } from '../queries/cache/statement-reads.ts';
import type { StatementGate } from '../statement/statement-gate.ts';
import type { StatementText } from '../statement/statement-text.ts';
import type { PartitionFilter, TableReads } from '../statement/table-reads.ts';
import { unanswered } from '../unanswered.ts';
import { icebergStatement } from './iceberg-statement.ts';
import { offsetsOf, readable, type ProjectedTable, type Readable, type SnapshotWithTail } from './projected-table.ts';

/** A query as the choice of its layout sees it. */
export interface LayoutQuestion {
  readonly engine: EngineName;
  /** The layout that was asked for. */
  readonly layout: LayoutName | undefined;
  readonly statement: StatementText;
  readonly parameters: readonly Parameter[];
}

/** The files that a query reads. */
export interface ChosenLayout {
  /** Undefined for a statement that reads no table. */
  readonly layout: LayoutName | undefined;
  /** Reason for which the base is read although the layout `iceberg` was asked for. */
  readonly fallback?: LayoutFallback;
  readonly reads: TableReads;
  /** The statement for the engine. */
  readonly statement: StatementText;
  /** The state that the files hold. Undefined for the base, whose state is known only by reads before and after the run. */
  readonly version?: LakeVersion;
  /** Files of the tables, for the layout `iceberg` on DuckDB. */
  readonly tables?: readonly LakeTable[];
  /** Id of the snapshot of each table, for the layout `iceberg` on an engine that reads the catalog itself. */
  readonly snapshots?: Readonly<Record<string, number>>;
}

/** Parts of {@link Layouts}. */
export interface LayoutsParts {
  readonly gate: Pick<StatementGate, 'tree'>;
  readonly streams: readonly Stream[];
  readonly database: string;
  readonly bucket: string;
  /** The projection of each table, by the table's name. */
  readonly projected: ReadonlyMap<string, ProjectedTable>;
  /** Files that DuckDB may read for one statement. */
  readonly filesMax: number;
  /** Catalog of Trino that holds the Iceberg tables. */
  readonly trinoCatalog: string;
}

/** Chooses the files of statements: those of the base, or those of one snapshot of the Iceberg table. */
export class Layouts {
  readonly #parts: LayoutsParts;

  constructor(parts: LayoutsParts) {
    this.#parts = parts;
  }

  /**
   * Chooses the files of a statement. A projection that cannot be read costs no answer: the statement reads the base then.
   *
   * @throws QueryError `unavailable` when S3 or Glue does not answer, `engine-failed` when DuckDB would read too many files
   */
  async choose(question: LayoutQuestion, signal: AbortSignal): Promise<ChosenLayout> {
    const { gate, streams } = this.#parts;
    const { statement, engine, layout, parameters } = question;
    const reads = await readsOf(gate, streams, statement.text, parameters);
    if (reads.size === 0) return { layout: undefined, reads, statement };
    const base: ChosenLayout = { layout: 'base', reads, statement };
    if (layout !== 'iceberg') return base;
    try {
      const chosen = engine === 'duckdb' ? await this.#withTails(base, signal) : await this.#pinned(question, base, signal);
      return 'fallback' in chosen ? { ...base, fallback: chosen.fallback } : chosen.state;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof QueryError) throw error;
      throw unanswered(error, 'The Iceberg table cannot be read: S3 or the catalog does not answer.');
    }
  }

  /** The choice of a former worker for a statement that it has started. Undefined when the statement cannot be written again. */
  async again(
    { engine, statement, parameters }: LayoutQuestion,
    snapshots: Readonly<Record<string, number>>,
  ): Promise<ChosenLayout | undefined> {
    const { gate, streams } = this.#parts;
    const reads = await readsOf(gate, streams, statement.text, parameters);
    const written = await this.#written(engine, statement, snapshots);
    return written === undefined ? undefined : { layout: 'iceberg', reads, statement: written, snapshots };
  }

  /** The files of a snapshot that a statement may read on an engine that reads the catalog itself. */
  async snapshotTables({ reads, snapshots = {} }: ChosenLayout, signal: AbortSignal): Promise<readonly LakeTable[] | undefined> {
    const tables: LakeTable[] = [];
    for (const [name, filter] of reads) {
      const projected = this.#parts.projected.get(name)!;
      const pinned = await unlessAborted(projected.pinned(), signal);
      if (pinned === undefined || 'fallback' in pinned || pinned.state.id !== snapshots[name]) return undefined;
      const files = await readable(async () => ({ state: await projected.files.filesIn(pinned.state, (dt) => filter(dt)) }));
      if ('fallback' in files) return undefined;
      tables.push(this.#tableOf(projected.stream, files.state, filter));
    }
    return tables;
  }

  async #withTails(base: ChosenLayout, signal: AbortSignal): Promise<Readable<ChosenLayout>> {
    const states: { readonly table: LakeTable; readonly version: TableVersion }[] = [];
    for (const [name, filter] of base.reads) {
      const projected = this.#parts.projected.get(name)!;
      const state = await unlessAborted(projected.withTail(), signal);
      signal.throwIfAborted();
      if ('fallback' in state!) return state;
      const read = await readable(async () => await this.#tableAt(projected, state!.state, filter, signal));
      if ('fallback' in read) return read;
      states.push(read.state);
    }
    return {
      state: { ...base, layout: 'iceberg', version: states.map(({ version }) => version), tables: states.map(({ table }) => table) },
    };
  }

  async #tableAt(
    projected: ProjectedTable,
    { snapshot, tails, partitions }: SnapshotWithTail,
    filter: PartitionFilter,
    signal: AbortSignal,
  ): Promise<Readable<{ readonly table: LakeTable; readonly version: TableVersion }>> {
    const { stream } = projected;
    const read = partitions.filter(({ value }) => filter(value));
    // Files elsewhere are those of another ledger, such as that of a replay. The projection does not hold them.
    if (read.some(({ value, location }) => location !== projected.locationOf(value))) return { fallback: 'relocated' };
    const wanted = new Set(read.map(({ value }) => value));
    const files = await projected.files.filesOf(snapshot, wanted, { signal });
    for (const tail of tails) files.push(...tail.files.filter(({ partition }) => wanted.has(partition)));
    const table = this.#tableOf(stream, files, filter);
    if (table.files.length > this.#parts.filesMax) throw tooManyFiles(stream, this.#parts.filesMax);
    const version: TableVersion = {
      table: stream.table,
      topic: stream.topic.name,
      offsets: tails.map(({ to }) => to),
      partitions: partitionsDigest(wanted),
    };
    return { state: { table, version } };
  }

  #tableOf(stream: Stream, files: readonly SnapshotFile[], filter: PartitionFilter): LakeTable {
    const { bucket, database } = this.#parts;
    return {
      database,
      name: stream.table,
      columns: stream.columns,
      partitionKey: stream.partitionKey,
      hasOlderFiles: mayHaveOlderFiles(stream),
      files: files
        .filter(({ partition, bounds }) => filter(partition, bounds))
        .map(({ key, bytes, partition }) => ({ bucket, key, bytes, partition })),
    };
  }

  async #pinned({ engine, statement }: LayoutQuestion, base: ChosenLayout, signal: AbortSignal): Promise<Readable<ChosenLayout>> {
    const snapshots: Record<string, number> = {};
    const version: TableVersion[] = [];
    for (const name of base.reads.keys()) {
      const projected = this.#parts.projected.get(name)!;
      const pinned = await unlessAborted(projected.pinned(), signal);
      signal.throwIfAborted();
      if ('fallback' in pinned!) return pinned;
      const { stream } = projected;
      snapshots[name] = pinned!.state.id;
      version.push({ table: name, topic: stream.topic.name, offsets: offsetsOf(stream, pinned!.state), partitions: snapshotDigest });
    }
    const written = await this.#written(engine, statement, snapshots);
    if (written === undefined) return { fallback: 'statement' };
    return { state: { ...base, layout: 'iceberg', statement: written, version, snapshots } };
  }

  async #written(
    engine: EngineName,
    statement: StatementText,
    snapshots: Readonly<Record<string, number>>,
  ): Promise<StatementText | undefined> {
    const { gate, database, projected, trinoCatalog } = this.#parts;
    const tree = await gate.tree(statement.text);
    if (tree === undefined) return undefined;
    const pinned = Object.entries(snapshots).map(([name, snapshotId]) => {
      const { stream } = projected.get(name)!;
      const parts = [...(engine === 'trino' ? [trinoCatalog] : []), database, icebergTableName(stream.table)];
      return { stream, name: parts.map((part) => `"${part}"`).join('.'), snapshotId };
    });
    return icebergStatement(statement, tree, database, pinned);
  }
}
