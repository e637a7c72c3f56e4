import { isLakeError, type ObjectStore } from '@millrace/lake';
import { QueryError } from '../errors.ts';
import { unanswered } from '../unanswered.ts';
import type { EngineResult } from '../engines/query-engine.ts';
import { readManifest } from './read-result.ts';
import { inlineBytesMax, manifestKey, partKey, type ResultManifest, type ResultPart } from './result-manifest.ts';

/** Limits of a result. */
export interface ResultLimits {
  readonly rowsMax: number;
  /** Bytes of the rows as NDJSON. */
  readonly bytesMax: number;
  /** Bytes of one part, the most that a writer or a reader holds in memory. */
  readonly partBytes: number;
  readonly partRows: number;
}

/** Whose result is written, and by whom. */
export interface ResultIdentity {
  readonly queryId: string;
  /** Unique to this run of this worker. */
  readonly writerId: string;
}

/**
 * Writes a result to S3 while it is read, with one part in memory, and publishes it by its manifest. When another worker has published
 * already, that result is kept and returned.
 *
 * @throws QueryError `result-too-large` when a limit is met, `unavailable` when S3 does not take it; and what the engine throws
 */
export async function writeResult(
  store: ObjectStore,
  identity: ResultIdentity,
  result: EngineResult,
  limits: ResultLimits,
  signal: AbortSignal,
): Promise<ResultManifest> {
  const parts: ResultPart[] = [];
  let total = { rows: 0, bytes: 0 };
  let lines: string[] = [];
  let bytes = 0;

  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    const key = partKey(identity.queryId, identity.writerId, parts.length);
    const body = Buffer.from(lines.join(''));
    await put(store, key, body, 'application/x-ndjson', signal);
    parts.push({ key, rows: lines.length, bytes: body.byteLength });
    lines = [];
    bytes = 0;
  };

  for await (const batch of result.rows) {
    for (const row of batch) {
      const line = `${JSON.stringify(row)}\n`;
      lines.push(line);
      const size = Buffer.byteLength(line);
      bytes += size;
      total = { rows: total.rows + 1, bytes: total.bytes + size };
      if (total.rows > limits.rowsMax) throw tooLarge(`${limits.rowsMax} rows`);
      if (total.bytes > limits.bytesMax) throw tooLarge(`${limits.bytesMax} bytes`);
      if (bytes >= limits.partBytes || lines.length >= limits.partRows) await flush();
    }
  }
  if (parts.length === 0 && lines.length > 0 && bytes <= inlineBytesMax) parts.push({ rows: lines.length, bytes, text: lines.join('') });
  else await flush();

  const manifest: ResultManifest = {
    v: 1,
    queryId: identity.queryId,
    columns: result.columns,
    ...total,
    bytesScanned: result.bytesScanned(),
    parts,
  };
  try {
    await store.put(manifestKey(identity.queryId), Buffer.from(JSON.stringify(manifest)), {
      ifAbsent: true,
      contentType: 'application/json',
      signal,
    });
    return manifest;
  } catch (error) {
    signal.throwIfAborted();
    // Taken: by another worker, or by a PUT of ours whose answer was lost. In both cases the stored manifest is the result.
    if (isLakeError(error, 'exists')) return await readManifest(store, identity.queryId, signal);
    throw unavailable(error);
  }
}

async function put(store: ObjectStore, key: string, body: Uint8Array, contentType: string, signal: AbortSignal): Promise<void> {
  try {
    await store.put(key, body, { contentType, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable(error);
  }
}

function tooLarge(limit: string): QueryError {
  return new QueryError('result-too-large', `The result has more than ${limit}. Aggregate, filter or add a LIMIT.`);
}

function unavailable(cause: unknown): QueryError {
  return unanswered(cause, 'The result could not be written to S3.');
}
