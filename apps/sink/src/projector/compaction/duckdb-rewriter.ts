import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stream } from '@millrace/contracts';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CallOptions, InspectableStore, RewriteInput, Rewriter, Rewritten } from '@millrace/lake';
import { onDuckDbDisk, openInstance } from '../../batch/duckdb-encoder.ts';
import { SinkError } from '../../errors.ts';
import { onDisk } from '../../spool/disk/on-disk.ts';
import { sizeAndHash } from '../../spool/disk/size-and-hash.ts';
import { downloadInputs } from './steps/download-inputs.ts';
import { rewriteStatements } from './steps/rewrite-statements.ts';

/** Limits of the rewriter. */
export interface RewriterSettings {
  /** Memory of DuckDB in megabytes; it spills above it. */
  readonly memoryMbMax: number;
  readonly threads: number;
  /** Disk space of the spill in megabytes. */
  readonly spillMbMax: number;
  /** Directory of this process for files in progress. */
  readonly directory: string;
}

/** Merges Parquet files with an embedded DuckDB that lives for one pass, so that its memory is free between passes. */
export class DuckDbRewriter implements Rewriter {
  readonly #store: Pick<InspectableStore, 'getRange' | 'metadata'>;
  readonly #stream: Stream;
  readonly #settings: RewriterSettings;

  constructor(store: Pick<InspectableStore, 'getRange' | 'metadata'>, stream: Stream, settings: RewriterSettings) {
    this.#store = store;
    this.#stream = stream;
    this.#settings = settings;
  }

  async rewrite(dt: string, inputs: readonly RewriteInput[], options: CallOptions): Promise<Rewritten> {
    const directory = await onDisk(async () => {
      await mkdir(this.#settings.directory, { recursive: true });
      return await mkdtemp(join(this.#settings.directory, 'pass-'));
    });
    const dispose = async (): Promise<void> => await rm(directory, { recursive: true, force: true });
    try {
      const { paths, lostRows } = await downloadInputs(this.#store, inputs, directory, options);
      const expected = inputs.reduce((sum, { rows }) => sum + rows, 0) - lostRows;
      if (paths.length === 0) return { ...nothing, lostRows, dispose };
      const target = join(directory, 'merged.parquet');
      const facts = await this.#merge(dt, paths, target, expected, options.signal);
      for (const path of paths) await rm(path, { force: true });
      const { bytes, sha256 } = await onDisk(async () => await sizeAndHash(target));
      return { ...facts, body: { path: target, bytes }, bytes, sha256, rows: expected, lostRows, dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  /** @throws SinkError `row-count` when the rows of the written file are not those of the inputs, or not as many as the manifests state */
  async #merge(
    dt: string,
    paths: readonly string[],
    target: string,
    expected: number,
    signal: AbortSignal | undefined,
  ): Promise<Pick<Rewritten, 'seconds' | 'partitions' | 'offsets'>> {
    const statements = rewriteStatements(this.#stream, dt, paths, target);
    const instance = await openInstance({ ...this.#settings, temporaryDirectory: join(this.#settings.directory, 'spill') });
    try {
      const connection = await instance.connect();
      const interrupt = (): void => connection.interrupt();
      signal?.addEventListener('abort', interrupt, { once: true });
      try {
        signal?.throwIfAborted();
        await onDuckDbDisk(async () => await connection.run(statements.copy));
        const [before, after] = [await rowOf(connection, statements.inputSums), await rowOf(connection, statements.outputSums)];
        if (String(before) !== String(after) || Number(after[0]) !== expected)
          throw new SinkError(
            'row-count',
            `${paths.length} files of ${dt} with ${expected} rows by their manifests have ${String(before[0])}, and became ${String(after[0])} rows` +
              `${before[1] === after[1] ? '' : ' with other values'}; the pass is dropped`,
          );
        const [minSeconds, maxSeconds, minPartition, maxPartition, minOffset, maxOffset] = (await rowOf(connection, statements.bounds)).map(
          Number,
        );
        return {
          seconds: [minSeconds!, maxSeconds!],
          partitions: [minPartition!, maxPartition!],
          offsets: [minOffset!, maxOffset!],
        };
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener('abort', interrupt);
        connection.closeSync();
      }
    } finally {
      instance.closeSync();
    }
  }
}

/** Deletes what dead processes left in the directory of all projectors of a machine. */
export async function removeLeftovers(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names) {
    const pid = Number(/^pid-(\d+)$/.exec(name)?.[1]);
    // A container starts again with the same process id.
    if (pid === process.pid || !isAlive(pid)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

const nothing = {
  body: new Uint8Array(0),
  bytes: 0,
  rows: 0,
  seconds: [0, 0],
  partitions: [0, 0],
  offsets: [0, 0],
} as const;

async function rowOf(connection: DuckDBConnection, sql: string): Promise<readonly unknown[]> {
  return (await connection.runAndReadAll(sql)).getRows()[0]!;
}
