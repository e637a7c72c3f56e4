import { createHash } from 'node:crypto';
import type { ResultPage } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import type { RequestLimits } from '../guards.ts';
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
  /** Where results lie, for calls within a deadline. */
  readonly results: (deadline: number | undefined) => Pick<ObjectStore, 'get'>;
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
   * @param limits its deadline is that of the query as well
   */
  async submit(body: unknown, key: string | undefined, limits: RequestLimits): Promise<QueryRecord> {
    const { deadline } = limits;
    const { rules, queue, now, newId, usage } = this.#parts;
    const data = { ...(await jobOf(body, rules, now())), ...(deadline === undefined ? {} : { deadline }) };
    const id = key === undefined ? newId() : idOfKey(key);
    if (key !== undefined) {
      const earlier = await queue.find(id, limits);
      if (earlier !== undefined) return sameRequest(earlier, data);
    }
    if (!(await queue.submit(id, data, limits))) throw keyConflict();
    if (data.report !== undefined) void usage.count(data.report, data.submittedAt);
    const added: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
    // Another request with the key may have come in between; what was queued first stands.
    return key === undefined ? added : sameRequest((await queue.find(id, limits)) ?? added, data);
  }

  /** The query as it is now, or as it is once it ended or `waitMs` are over, or the time of its caller. */
  async get(id: string, waitMs: number, limits: RequestLimits): Promise<QueryRecord> {
    const { queue, waits, now, sleep } = this.#parts;
    if (!idPattern.test(id)) throw notFound(id);
    const find = async (): Promise<QueryRecord | undefined> => await queue.find(id, limits);
    const leftMs = Math.min(waitMs, (limits.deadline ?? Number.POSITIVE_INFINITY) - now());
    const record = leftMs > 0 ? await waits.untilEnded(find, leftMs, now, sleep, limits.signal ?? new AbortController().signal) : await find();
    if (record === undefined) throw notFound(id);
    return record;
  }

  /** The query just submitted, once it ended or `waitMs` are over. It has been taken: that it cannot be looked at now is no failure. */
  async settle(submitted: QueryRecord, waitMs: number, limits: RequestLimits): Promise<QueryRecord> {
    return await this.get(submitted.id, waitMs, limits).catch((error: unknown) => unlessUnanswered(error, submitted));
  }

  /** Asks for the query to be cancelled and returns it as it is then. One that has ended stays as it is. */
  async cancel(id: string, limits: RequestLimits): Promise<QueryRecord> {
    const record = await this.get(id, 0, limits);
    if (isFinal(record.state)) return record;
    // Who asks and goes away at once means it all the same.
    await this.#parts.queue.requestCancel(id, { deadline: limits.deadline });
    return await this.get(id, 0, limits);
  }

  /** One page of results. */
  async page(id: string, cursor: string | undefined, limit: number, limits: RequestLimits): Promise<ResultPage> {
    const { store, manifest } = await this.#result(await this.#succeeded(id, limits), limits);
    return await readPage(store, manifest, cursor, limit, limits.signal);
  }

  /** The first page of a query that is known to have succeeded; undefined while it cannot be read. */
  async firstPage(record: QueryRecord, limit: number, limits: RequestLimits): Promise<ResultPage | undefined> {
    try {
      const { store, manifest } = await this.#result(record, limits);
      return await readPage(store, manifest, undefined, limit, limits.signal);
    } catch (error) {
      return unlessUnanswered(error, undefined);
    }
  }

  /** The whole result, to be read part by part. */
  async whole(id: string, limits: RequestLimits): Promise<WholeResult> {
    const { store, manifest } = await this.#result(await this.#succeeded(id, limits), limits);
    return { manifest, rows: readRows(store, manifest, limits.signal) };
  }

  async #succeeded(id: string, limits: RequestLimits): Promise<QueryRecord> {
    const record = await this.get(id, 0, limits);
    const { state, outcome } = record;
    if (!isFinal(state)) throw new QueryError('not-finished', `The query is ${state}. Ask /v1/queries/${id}?wait=30 for its end.`, { retryAfterSeconds: 1 });
    if (state !== 'succeeded') throw new QueryError('no-results', `The query ${state === 'failed' ? `failed: ${outcome?.error?.detail ?? 'no reason is known'}` : 'was cancelled.'}`);
    return record;
  }

  /** Where the result is read: on S3, or in the query itself when an earlier answer stands in. */
  async #result({ id, outcome }: QueryRecord, { signal, deadline }: RequestLimits): Promise<{ store: Pick<ObjectStore, 'get'>; manifest: ResultManifest }> {
    const store = this.#parts.results(deadline);
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

function unlessUnanswered<T>(error: unknown, instead: T): T {
  if (error instanceof QueryError && (error.code === 'unavailable' || error.code === 'overloaded' || error.code === 'deadline-exceeded')) return instead;
  throw error;
}

function notFound(id: string): QueryError {
  return new QueryError('not-found', `There is no query ${id.slice(0, 64)}, or it is no longer kept.`);
}
