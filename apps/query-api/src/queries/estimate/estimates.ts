import type { QueryEstimate, Stream } from '@millrace/contracts';
import { columnBytesInFooter, mapParallel, type InspectableStore } from '@millrace/lake';
import { QueryError } from '../../errors.ts';
import type { LakeFile, LakeTable } from '../../engines/duckdb/lake-file.ts';
import { lakeTable, type LakePlaces } from '../../lake-tables.ts';
import type { ChosenLayout, Layouts } from '../../layouts/layouts.ts';
import type { StatementGate } from '../../statement/statement-gate.ts';
import { readStatement } from '../../statement/statement-text.ts';
import { unanswered } from '../../unanswered.ts';
import type { QueryJobData } from '../query-record.ts';
import { columnsRead } from './columns-read.ts';
import { priceOf } from './price.ts';

/** Maximum number of footers that one estimate reads. Beyond, the shares of the columns are those of a sample. */
export const footersMax = 32;
/** Footers that are read at once. */
const readsMax = 8;
/** Files whose column sizes are remembered. Files never change. */
const rememberedMax = 5000;

/** Parts of {@link Estimates}. */
export interface EstimatesParts {
  readonly gate: Pick<StatementGate, 'tree'>;
  readonly layouts: Pick<Layouts, 'choose' | 'snapshotTables'>;
  readonly streams: readonly Stream[];
  readonly places: Omit<LakePlaces, 'storeOf'> & { readonly storeOf: (bucket: string) => Pick<InspectableStore, 'listSized' | 'getRange'> };
  readonly filesMax: number;
  /** Price of a terabyte in Athena, in US dollars. */
  readonly usdPerTb: number;
}

/** Estimates the bytes that a query would read, without running it. */
export class Estimates {
  readonly #parts: EstimatesParts;
  readonly #sizes = new Map<string, ReadonlyMap<string, number>>();

  constructor(parts: EstimatesParts) {
    this.#parts = parts;
  }

  /**
   * The bytes of the columns that a statement names, in the files of the partitions that its conditions allow. An engine may read less: it
   * can skip parts of a file by their statistics, and stop early at a LIMIT.
   *
   * @throws QueryError `unavailable` when Glue or S3 does not answer, `engine-failed` when there are too many files
   */
  async of({ sql, parameters, engine, layout }: QueryJobData, signal: AbortSignal): Promise<QueryEstimate> {
    const { gate, layouts, streams, usdPerTb } = this.#parts;
    const statement = readStatement(sql);
    const chosen = await layouts.choose({ engine, layout, statement, parameters }, signal);
    const listed = await this.#tablesOf(chosen, signal);
    const names = columnsRead(await gate.tree(statement.text));
    const tables = await Promise.all(
      streams.flatMap((stream) => {
        const table = listed.tables.find(({ name }) => name === stream.table);
        return table === undefined ? [] : [this.#ofTable(stream, table.files, names, signal)];
      }),
    );
    const bytesScanned = tables.reduce((sum, table) => sum + table.bytesScanned, 0);
    return {
      engine,
      ...(listed.layout === undefined ? {} : { layout: listed.layout }),
      bytesScanned,
      isSampled: tables.some(({ isSampled }) => isSampled),
      tables: tables.map(({ isSampled: _isSampled, ...table }) => table),
      ...priceOf(engine, bytesScanned, usdPerTb),
    };
  }

  /** @throws QueryError `scan-limit-exceeded` when the query would read more than it may */
  async refuseAbove(maxBytesScanned: number, data: QueryJobData, signal: AbortSignal): Promise<void> {
    const { bytesScanned } = await this.of(data, signal);
    if (bytesScanned <= maxBytesScanned) return;
    throw new QueryError(
      'scan-limit-exceeded',
      `The statement would scan about ${bytesScanned} bytes, and maxBytesScanned is ${maxBytesScanned}. Name fewer columns or days, or raise the limit.`,
      { errors: [{ field: 'maxBytesScanned', message: `must be at least ${bytesScanned} for this statement` }] },
    );
  }

  /** The files that the query would read. */
  async #tablesOf(
    chosen: ChosenLayout,
    signal: AbortSignal,
  ): Promise<{ readonly layout: ChosenLayout['layout']; readonly tables: readonly LakeTable[] }> {
    const { layouts, streams, places, filesMax } = this.#parts;
    const ofSnapshot = chosen.layout === 'iceberg' ? (chosen.tables ?? (await layouts.snapshotTables(chosen, signal))) : undefined;
    if (ofSnapshot !== undefined) return { layout: chosen.layout, tables: ofSnapshot };
    const tables = await Promise.all(
      streams.flatMap((stream) => {
        const filter = chosen.reads.get(stream.table);
        return filter === undefined ? [] : [lakeTable({ stream, filter, filesMax }, places, signal)];
      }),
    );
    return { layout: chosen.layout === undefined ? undefined : 'base', tables };
  }

  async #ofTable(
    { table, columns, partitionKey }: Stream,
    files: readonly LakeFile[],
    names: ReadonlySet<string> | undefined,
    signal: AbortSignal,
  ): Promise<QueryEstimate['tables'][number] & { readonly isSampled: boolean }> {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const about = {
      table,
      partitions: new Set(files.map(({ partition }) => partition)).size,
      files: files.length,
      bytes,
      columns: columns.map(({ name }) => name).filter((name) => names === undefined || names.has(name)),
    };
    if (names === undefined) return { ...about, bytesScanned: bytes, isSampled: false };
    // Its values are in the names of the files.
    const read = new Set([...names].filter((name) => name !== partitionKey));
    if (read.size === 0) return { ...about, bytesScanned: 0, isSampled: false };
    const sample = evenly(files, footersMax);
    const sizes = await this.#sizesOf(sample, signal);
    const sampled = sample.reduce((sum, file) => sum + file.bytes, 0);
    const ofColumns = sizes.reduce((sum, size) => sum + [...size].reduce((total, [name, own]) => total + (read.has(name) ? own : 0), 0), 0);
    const isSampled = sample.length < files.length;
    return { ...about, bytesScanned: isSampled ? Math.round((ofColumns / Math.max(1, sampled)) * bytes) : ofColumns, isSampled };
  }

  async #sizesOf(files: readonly LakeFile[], signal: AbortSignal): Promise<ReadonlyMap<string, number>[]> {
    return await mapParallel(files, readsMax, async (file) => await this.#sizeOf(file, signal));
  }

  async #sizeOf({ bucket, key, bytes }: LakeFile, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const id = `${bucket}/${key}`;
    const known = this.#sizes.get(id);
    if (known !== undefined) return known;
    try {
      const size = await columnBytesInFooter(this.#parts.places.storeOf(bucket), key, bytes, { signal });
      if (this.#sizes.size >= rememberedMax) this.#sizes.clear();
      this.#sizes.set(id, size);
      return size;
    } catch (error) {
      signal.throwIfAborted();
      throw unanswered(error, 'The footer of a file of the table cannot be read from S3.');
    }
  }
}

/** At most `max` items, evenly spread. */
function evenly<T>(items: readonly T[], max: number): readonly T[] {
  return items.length <= max ? items : Array.from({ length: max }, (_, index) => items[Math.floor((index * items.length) / max)]!);
}
