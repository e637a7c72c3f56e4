import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hiddenColumns, partitionKeyFieldId, type Column, type ColumnType, type Stream } from '@millrace/contracts';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Segment } from '../spool/batch.ts';
import { onDisk } from '../spool/disk/on-disk.ts';
import type { EncodedFile, RowId, SegmentEncoder } from '../spool/segment-encoder.ts';
import { sizeAndHash } from '../spool/disk/size-and-hash.ts';
import { SinkError } from '../errors.ts';
import type { BatchFiles } from '../spool/spool.ts';

/** Limits of the encoder. */
export interface EncoderSettings {
  /** Memory DuckDB may use, in megabytes. Default 256; below 128 a 64 MiB segment does not fit. */
  readonly memoryMbMax: number;
  /** Threads DuckDB may use. Default 1: a second one adds a tenth to the CPU of a file and wins little time. */
  readonly threads: number;
  /** Directory for data that does not fit in memory. */
  readonly temporaryDirectory: string;
  /** Maximum disk space of this directory in megabytes. Default 1024. */
  readonly spillMbMax: number;
}

const jsonTypes: Readonly<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  int: 'INTEGER',
  bigint: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'BIGINT',
};

/** An embedded DuckDB within its limits. */
export async function openInstance(settings: EncoderSettings): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${settings.memoryMbMax}MB`,
    threads: String(settings.threads),
    temp_directory: settings.temporaryDirectory,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  // DuckDB lists this setting but does not enforce it when it is passed to `create`.
  await connection.run(`SET max_temp_directory_size = '${settings.spillMbMax}MB'`);
  // Otherwise the allocator keeps 100 to 200 MB of freed memory resident.
  await connection.run('SET allocator_background_threads = true');
  connection.closeSync();
  return instance;
}

/** Encodes segments with an embedded DuckDB, whose threads do not block the event loop. One segment at a time. */
export class DuckDbEncoder implements SegmentEncoder {
  readonly #instance: DuckDBInstance;
  readonly #stream: Stream;
  readonly #temporaryDirectory: string;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(instance: DuckDBInstance, stream: Stream, temporaryDirectory: string) {
    this.#instance = instance;
    this.#stream = stream;
    this.#temporaryDirectory = temporaryDirectory;
  }

  static async open(stream: Stream, settings: EncoderSettings): Promise<DuckDbEncoder> {
    const instance = await openInstance(settings);
    return new DuckDbEncoder(instance, stream, settings.temporaryDirectory);
  }

  async encode(files: BatchFiles, segment: Segment, name: string, partition: number, signal: AbortSignal): Promise<EncodedFile> {
    return await this.#inTurn(async () => {
      signal.throwIfAborted();
      const temporary = files.path(`${name}.tmp`);
      const rows = await this.#copy(
        copyStatement(this.#stream, files.path(segment.file), temporary, { partition, dt: segment.dt }),
        signal,
      );
      if (rows !== segment.rows) {
        await rm(temporary, { force: true });
        throw new SinkError('row-count', `${segment.rows} lines of batch ${files.batchId} became ${rows} rows of ${segment.dt}`);
      }
      // An interrupted COPY leaves a partial file, so only a complete file gets the final name.
      await rename(temporary, files.path(name));
      return { rows, ...(await sizeAndHash(files.path(name))) };
    });
  }

  async asIs(files: BatchFiles, name: string): Promise<EncodedFile> {
    return { rows: 0, ...(await sizeAndHash(files.path(name))) };
  }

  async rowIds(file: Uint8Array, from: number): Promise<readonly RowId[]> {
    const path = join(this.#temporaryDirectory, `${randomUUID()}.parquet`);
    const idColumn = this.#stream.columns.find(({ field }) => field === 'eventId')!.name;
    try {
      await onDisk(async () => await writeFile(path, file));
      const connection = await this.#instance.connect();
      try {
        const result = await onDuckDbDisk(
          async () =>
            await connection.runAndReadAll(
              `SELECT ${hiddenColumns[1].name}, ${idColumn} FROM read_parquet(${quoteText(path)}) WHERE ${hiddenColumns[1].name} >= ${from}`,
            ),
        );
        const [offsets, ids] = result.getColumns();
        return (offsets ?? []).map((offset, row) => ({ offset: Number(offset), eventId: String(ids![row]) }));
      } finally {
        connection.closeSync();
      }
    } finally {
      await rm(path, { force: true });
    }
  }

  close(): void {
    this.#instance.closeSync();
  }

  async #copy(statement: string, signal: AbortSignal): Promise<number> {
    const connection = await this.#instance.connect();
    const interrupt = (): void => connection.interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const result = await onDuckDbDisk(async () => await connection.run(statement));
      return result.rowsChanged;
    } finally {
      signal.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }
}

/**
 * Runs a statement, and reports a full disk or a reached spill limit as an outage of the disk. DuckDB reports both with a message and
 * without a code, so this is the one place that matches message text.
 *
 * @throws SinkError `disk-full`
 */
export async function onDuckDbDisk<T>(run: () => Promise<T>): Promise<T> {
  return await onDisk(async () => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof Error && /No space left|File too large|Disk quota/i.test(error.message)) {
        throw new SinkError('disk-full', `the disk is full: ${error.message}`, { cause: error });
      }
      if (error instanceof Error && error.message.includes('max_temp_directory_size')) {
        throw new SinkError('disk-full', `the encoder needs more disk than SINK_ENCODER_SPILL_MB_MAX: ${error.message}`, { cause: error });
      }
      throw error;
    }
  });
}

/**
 * The statement that makes one Parquet file of one segment. The value of the partition key is in the file, too: some readers of Iceberg
 * take it only from there.
 */
export function copyStatement(
  stream: Stream,
  source: string,
  target: string,
  { partition, dt }: { readonly partition: number; readonly dt: string },
): string {
  const [partitionColumn, offsetColumn] = hiddenColumns;
  const read = [
    `${quoteText(offsetColumn.name)}: 'BIGINT'`,
    ...stream.columns.map(({ field, type }) => `${quoteText(field)}: '${jsonTypes[type]}'`),
  ];
  const select = [
    ...stream.columns.map(selectOf),
    `${quoteText(dt)} AS ${stream.partitionKey}`,
    `${partition}::INTEGER AS ${partitionColumn.name}`,
    offsetColumn.name,
  ];
  const partitionKey = { name: stream.partitionKey, fieldId: partitionKeyFieldId };
  const fieldIds = [...stream.columns, partitionKey, ...hiddenColumns].map(({ name, fieldId }) => `${name}: ${fieldId}`);
  const order = [...stream.sortColumns, offsetColumn.name];
  return [
    `COPY (SELECT ${select.join(', ')}`,
    `FROM read_json(${quoteText(source)}, format = 'newline_delimited', columns = {${read.join(', ')}})`,
    `ORDER BY ${order.join(', ')})`,
    `TO ${quoteText(target)} (FORMAT parquet, COMPRESSION ${stream.fileCodec}, FIELD_IDS {${fieldIds.join(', ')}})`,
  ].join('\n');
}

// make_timestamp gives a timestamp without a zone, which Athena and Trino read as written. They would shift the result of to_timestamp by
// the zone of their JVM.
function selectOf({ field, name, type }: Column): string {
  return `${type === 'timestamp' ? `make_timestamp("${field}" * 1000000)` : `"${field}"`} AS ${name}`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
