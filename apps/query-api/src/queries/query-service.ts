import { createHash } from 'node:crypto';
import type { ResultPage } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import type { ResultRow } from '../engines/query-engine.ts';
import { QueryError } from '../errors.ts';
import { readManifest, readPage, readRows } from '../results/read-result.ts';
import { inlineResult } from '../results/inline-result.ts';
import type { ResultManifest } from '../results/result-manifest.ts';
import type { ReportUsage } from '../reports/report-usage.ts';
import type { QueryQueue } from './query-queue.ts';
import { isFinal, type QueryJobData, type QueryRecord } from './query-record.ts';
import { jobOf, type SubmissionRules } from './submission.ts';
import type { QueryWaits } from './wait-for-end.ts';

/** What the service is made of. */
export interface QueryServiceParts {
  readonly queue: QueryQueue;
  readonly rules: SubmissionRules;
  readonly results: Pick<ObjectStore, 'get'>;
  readonly waits: QueryWaits;
  readonly usage: Pick<ReportUsage, 'count'>;
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

  /**
   * Checks a request and queues it.
   *
   * @param key makes a repetition of the same request the same query; undefined makes each request a query of its own
   * @param deadline epoch milliseconds after which nobody waits for the answer
   */
  async submit(body: unknown, key: string | undefined, deadline?: number): Promise<QueryRecord> {
    const { rules, queue, now, newId, usage } = this.#parts;
    const data = { ...(await jobOf(body, rules, now())), ...(deadline === undefined ? {} : { deadline }) };
    const id = key === undefined ? newId() : idOfKey(key);
    if (key !== undefined) {
      const earlier = await queue.find(id);
      if (earlier !== undefined) return sameRequest(earlier, data);
    }
    if (!(await queue.submit(id, data))) throw keyConflict();
    if (data.report !== undefined) void usage.count(data.report, data.submittedAt);
    const added: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
    // Another request with the key may have come in between; what was queued first stands.
    return key === undefined ? added : sameRequest((await queue.find(id)) ?? added, data);
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

  /** The query just submitted, once it ended or `waitMs` are over. It has been taken: that it cannot be looked at now is no failure. */
  async settle(submitted: QueryRecord, waitMs: number, signal: AbortSignal): Promise<QueryRecord> {
    return await this.get(submitted.id, waitMs, signal).catch((error: unknown) => unlessUnavailable(error, submitted));
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
    const { store, manifest } = await this.#result(await this.#succeeded(id, signal), signal);
    return await readPage(store, manifest, cursor, limit, signal);
  }

  /** The first page of a query that is known to have succeeded; undefined while it cannot be read. */
  async firstPage(record: QueryRecord, limit: number, signal: AbortSignal): Promise<ResultPage | undefined> {
    try {
      const { store, manifest } = await this.#result(record, signal);
      return await readPage(store, manifest, undefined, limit, signal);
    } catch (error) {
      return unlessUnavailable(error, undefined);
    }
  }

  /** The whole result, to be read part by part. */
  async whole(id: string, signal: AbortSignal): Promise<WholeResult> {
    const { store, manifest } = await this.#result(await this.#succeeded(id, signal), signal);
    return { manifest, rows: readRows(store, manifest, signal) };
  }

  async #succeeded(id: string, signal: AbortSignal): Promise<QueryRecord> {
    const record = await this.get(id, 0, signal);
    const { state, outcome } = record;
    if (!isFinal(state)) throw new QueryError('not-finished', `The query is ${state}. Ask /v1/queries/${id}?wait=30 for its end.`, { retryAfterSeconds: 1 });
    if (state !== 'succeeded') throw new QueryError('no-results', `The query ${state === 'failed' ? `failed: ${outcome?.error?.detail ?? 'no reason is known'}` : 'was cancelled.'}`);
    return record;
  }

  /** Where the result is read: on S3, or in the query itself when an earlier answer stands in. */
  async #result({ id, outcome }: QueryRecord, signal: AbortSignal): Promise<{ store: Pick<ObjectStore, 'get'>; manifest: ResultManifest }> {
    const store = this.#parts.results;
    return outcome?.stale === undefined ? { store, manifest: await readManifest(store, id, signal) } : inlineResult(id, outcome.stale);
  }
}

/** The one id of every query under a key. */
function idOfKey(key: string): string {
  const digest = createHash('sha256').update(key).digest('hex');
  return [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`, digest.slice(20, 32)].join('-');
}

function whatIsAsked({ sql, parameters, engine, report, timeoutMs }: QueryJobData): string {
  return JSON.stringify([sql, parameters, engine, report, timeoutMs]);
}

function sameRequest(record: QueryRecord, data: QueryJobData): QueryRecord {
  if (whatIsAsked(record.data) === whatIsAsked(data)) return record;
  throw keyConflict();
}

function keyConflict(): QueryError {
  return new QueryError('idempotency-conflict', 'The Idempotency-Key belongs to another query. Use a new key for a new query.', {
    errors: [{ field: 'Idempotency-Key', message: 'was used with another request' }],
  });
}

function unlessUnavailable<T>(error: unknown, instead: T): T {
  if (error instanceof QueryError && error.code === 'unavailable') return instead;
  throw error;
}

function notFound(id: string): QueryError {
  return new QueryError('not-found', `There is no query ${id.slice(0, 64)}, or it is no longer kept.`);
}
