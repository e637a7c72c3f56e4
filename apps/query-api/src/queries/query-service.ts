import type { ResultPage } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import type { ResultRow } from '../engines/query-engine.ts';
import { QueryError } from '../errors.ts';
import { readManifest, readPage, readRows } from '../results/read-result.ts';
import type { ResultManifest } from '../results/result-manifest.ts';
import type { QueryQueue } from './query-queue.ts';
import { isFinal, type QueryRecord } from './query-record.ts';
import { jobOf, type SubmissionRules } from './submission.ts';
import type { QueryWaits } from './wait-for-end.ts';

/** What the service is made of. */
export interface QueryServiceParts {
  readonly queue: QueryQueue;
  readonly rules: SubmissionRules;
  readonly results: Pick<ObjectStore, 'get'>;
  readonly waits: QueryWaits;
  readonly now: () => number;
  readonly newId: () => string;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A query's whole result. */
export interface WholeResult {
  readonly manifest: ResultManifest;
  readonly rows: AsyncIterable<readonly ResultRow[]>;
}

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Everything a client can do with queries. Errors are {@link QueryError}. */
export class QueryService {
  readonly #parts: QueryServiceParts;

  constructor(parts: QueryServiceParts) {
    this.#parts = parts;
  }

  /** Checks a request and queues it; returns the new query's id. */
  async submit(body: unknown): Promise<QueryRecord> {
    const { rules, queue, now, newId } = this.#parts;
    const data = await jobOf(body, rules, now());
    const id = newId();
    await queue.submit(id, data);
    return { id, data, state: 'queued', progress: undefined, outcome: undefined };
  }

  /** The query as it is now, or as it is once it ended or `waitMs` are over. */
  async get(id: string, waitMs: number, signal: AbortSignal): Promise<QueryRecord> {
    const { queue, waits, now, sleep } = this.#parts;
    if (!idPattern.test(id)) throw notFound(id);
    const find = async (): Promise<QueryRecord | undefined> => await queue.find(id);
    const record = waitMs > 0 ? await waits.untilEnded(find, waitMs, now, sleep, signal) : await find();
    if (record === undefined) throw notFound(id);
    return record;
  }

  /** Asks for the query to be cancelled and returns it as it is then. One that has ended stays as it is. */
  async cancel(id: string, signal: AbortSignal): Promise<QueryRecord> {
    const record = await this.get(id, 0, signal);
    if (isFinal(record.state)) return record;
    await this.#parts.queue.requestCancel(id);
    return await this.get(id, 0, signal);
  }

  /** One page of results. */
  async page(id: string, cursor: string | undefined, limit: number, signal: AbortSignal): Promise<ResultPage> {
    return await readPage(this.#parts.results, await this.#manifest(id, signal), cursor, limit, signal);
  }

  /** The first page of a query that is known to have succeeded. */
  async firstPage({ id }: QueryRecord, limit: number, signal: AbortSignal): Promise<ResultPage> {
    return await readPage(this.#parts.results, await readManifest(this.#parts.results, id, signal), undefined, limit, signal);
  }

  /** The whole result, to be read part by part. */
  async whole(id: string, signal: AbortSignal): Promise<WholeResult> {
    const manifest = await this.#manifest(id, signal);
    return { manifest, rows: readRows(this.#parts.results, manifest, signal) };
  }

  async #manifest(id: string, signal: AbortSignal): Promise<ResultManifest> {
    const { state, outcome } = await this.get(id, 0, signal);
    if (!isFinal(state)) throw new QueryError('not-finished', `The query is ${state}. Ask /v1/queries/${id}?wait=30 for its end.`, { retryAfterSeconds: 1 });
    if (state !== 'succeeded') throw new QueryError('no-results', `The query ${state === 'failed' ? `failed: ${outcome?.error?.detail ?? 'no reason is known'}` : 'was cancelled.'}`);
    return await readManifest(this.#parts.results, id, signal);
  }
}

function notFound(id: string): QueryError {
  return new QueryError('not-found', `There is no query ${id.slice(0, 64)}, or it is no longer kept.`);
}
