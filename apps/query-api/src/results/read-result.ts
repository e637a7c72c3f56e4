import type { ResultPage } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import { DeadlineExceededError } from '@millrace/resilience';
import type { ResultRow } from '../engines/query-engine.ts';
import { QueryError } from '../errors.ts';
import { unanswered } from '../unanswered.ts';
import { cursorOf, rowOfCursor } from './result-cursor.ts';
import { manifestKey, type ResultManifest, type ResultPart } from './result-manifest.ts';

/**
 * Reads the manifest of a result.
 *
 * @throws QueryError `gone` when it is no longer kept, `unavailable` when S3 does not answer, `overloaded` when its bulkhead is full,
 *   `deadline-exceeded`
 */
export async function readManifest(store: Pick<ObjectStore, 'get'>, queryId: string, signal?: AbortSignal): Promise<ResultManifest> {
  const manifest = JSON.parse((await read(store, manifestKey(queryId), signal)).toString('utf8')) as { readonly v: number };
  if (manifest.v !== 1)
    throw new QueryError(
      'unavailable',
      `The result of ${queryId} has format ${manifest.v}, and this release reads format 1. Run the query again.`,
    );
  return manifest as ResultManifest;
}

/**
 * One page of a result. It ends at `limit` rows or at the end of the part it began in, so that one part is in memory.
 *
 * @param cursor what the page before gave as `next`, or undefined for the first
 * @throws QueryError `validation` for a cursor that is not ours, `gone`, `unavailable`
 */
export async function readPage(
  store: Pick<ObjectStore, 'get'>,
  manifest: ResultManifest,
  cursor: string | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<ResultPage> {
  const from = cursor === undefined ? 0 : rowOfCursor(cursor, manifest);
  const { columns } = manifest;
  let first = 0;
  for (const part of manifest.parts) {
    if (from < first + part.rows) {
      const rows = (await readPart(store, part, signal)).slice(from - first, from - first + limit);
      const next = from + rows.length;
      return { columns, rows, ...(next < manifest.rows ? { next: cursorOf(next, manifest) } : {}) };
    }
    first += part.rows;
  }
  return { columns, rows: [] };
}

/** Rows that {@link readRows} gives at once. Their encoding blocks the event loop for a few milliseconds only. */
const batchRows = 1000;

/** Every row, in small batches; one part is in memory as bytes. */
export async function* readRows(
  store: Pick<ObjectStore, 'get'>,
  manifest: ResultManifest,
  signal?: AbortSignal,
): AsyncGenerator<readonly ResultRow[]> {
  for (const part of manifest.parts) yield* rowBatches(await partBytes(store, part, signal));
}

async function readPart(store: Pick<ObjectStore, 'get'>, part: ResultPart, signal?: AbortSignal): Promise<readonly ResultRow[]> {
  return rowsOf(await partBytes(store, part, signal));
}

async function partBytes(store: Pick<ObjectStore, 'get'>, part: ResultPart, signal?: AbortSignal): Promise<Buffer> {
  return 'text' in part ? Buffer.from(part.text) : await read(store, part.key, signal);
}

function* rowBatches(bytes: Buffer): Generator<readonly ResultRow[]> {
  for (let from = 0; from < bytes.length;) {
    let to = from;
    for (let rows = 0; rows < batchRows && to < bytes.length; rows += 1) {
      const end = bytes.indexOf(newline, to);
      to = end === -1 ? bytes.length : end + 1;
    }
    yield rowsOf(bytes.subarray(from, to));
    from = to;
  }
}

/** The rows of whole lines. JSON escapes line breaks inside of cells, so each line break is between two rows. */
function rowsOf(lines: Buffer): readonly ResultRow[] {
  return JSON.parse(`[${lines.toString('utf8').trimEnd().replaceAll('\n', ',')}]`) as readonly ResultRow[];
}

const newline = 0x0a;

async function read(store: Pick<ObjectStore, 'get'>, key: string, signal?: AbortSignal): Promise<Buffer> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await store.get(key, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DeadlineExceededError)
      throw new QueryError('deadline-exceeded', 'The deadline of the caller passed before the results had been read.', { cause: error });
    throw unanswered(error, 'The results cannot be read from S3.');
  }
  if (bytes === undefined) throw new QueryError('gone', 'The results of this query are no longer kept. Run the query again.');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
