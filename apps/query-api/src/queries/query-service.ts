import type { EngineName, QueryEstimate, QueryList, ResultLinks, ResultPage } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import { idOfPrincipal, type Principal } from '@millrace/runtime';
import type { RequestLimits } from '../guards.ts';
import type { ResultRow } from '../engines/query-engine.ts';
import { QueryError } from '../errors.ts';
import type { KeptManifests } from '../results/kept-manifests.ts';
import { readPage, readRows } from '../results/read-result.ts';
import { inlineResult } from '../results/inline-result.ts';
import { linksTo, type LinkRequest, type LinkTo } from '../results/result-links.ts';
import type { ResultManifest } from '../results/result-manifest.ts';
import type { ReportUsage } from '../reports/report-usage.ts';
import type { CacheAnswer, CacheResult, CachedAnswers, CacheUse } from './cache/cached-answers.ts';
import type { QueryApiAudit } from './query-audit.ts';
import type { Estimates } from './estimate/estimates.ts';
import type { EventStreams } from './progress/event-streams.ts';
import { hasSeenAll, queryEvents } from './progress/query-events.ts';
import type { QueryEnds } from './query-ends.ts';
import { idOfKey } from './query-id.ts';
import type { ListRequest } from './query-listing.ts';
import type { QueryQueue } from './query-queue.ts';
import { isFinal, maySee, type QueryJobData, type QueryRecord } from './query-record.ts';
import { jobOf, type SubmissionRules } from './submission.ts';
import type { QueryWaits } from './wait-for-end.ts';

/** Parts of the service. */
export interface QueryServiceParts {
  readonly queue: QueryQueue;
  readonly cache: Pick<CachedAnswers, 'find' | 'release'>;
  readonly estimates: Pick<Estimates, 'of' | 'refuseAbove'>;
  readonly rules: SubmissionRules;
  /** Where results lie, for calls within a deadline. */
  readonly results: (deadline: number | undefined) => Pick<ObjectStore, 'get'>;
  readonly manifests: Pick<KeptManifests, 'read'>;
  readonly linkTo: LinkTo;
  readonly waits: QueryWaits;
  readonly changes: Pick<QueryEnds, 'onChange'>;
  readonly streams: EventStreams;
  readonly usage: Pick<ReportUsage, 'count'>;
  readonly now: () => number;
  /** Makes ids that cannot be guessed. */
  readonly newId: () => string;
  /** Secret from which ids of queries with an Idempotency-Key derive. */
  readonly idSecret: (limits: RequestLimits) => Promise<string>;
  readonly audit: QueryApiAudit;
  /** Called with each query and the source of its answer. */
  readonly onAnswered: (data: QueryJobData, result: CacheResult) => void;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The fate of a query that has not ended when the wait for it is over. */
export type WaitTimeout = 'continue' | 'cancel';

/** Limits of a stream: it ends with its client. */
export type EventLimits = RequestLimits & { readonly signal: AbortSignal };

/** A query that was accepted. */
export interface Submitted {
  readonly record: QueryRecord;
  /** The source of its answer. Undefined for a query that an earlier request with the key submitted. */
  readonly cache: CacheResult | undefined;
}

/** A query's whole result. */
export interface WholeResult {
  readonly manifest: ResultManifest;
  readonly rows: AsyncIterable<readonly ResultRow[]>;
}

const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Everything a client can do with queries. Errors are {@link QueryError}. A query that the caller may not see is answered like an id that
 * does not exist.
 */
export class QueryService {
  readonly #parts: QueryServiceParts;

  constructor(parts: QueryServiceParts) {
    this.#parts = parts;
  }

  /**
   * Checks a request, and answers it from the cache, lets it follow an equal query that runs, or queues it.
   *
   * @param key makes a repetition of the same request by the same caller the same query; undefined makes each request a separate query
   * @param limits its deadline and its trace are those of the query as well
   * @param waitMs time for which the request waits for the end: a query that waits for events has about as long until its start
   * @param use what the request wants of the cache, where its body does not refuse it
   */
  async submit(
    body: unknown,
    key: string | undefined,
    caller: Principal,
    limits: RequestLimits,
    use: CacheUse = 'use',
    waitMs = 0,
  ): Promise<Submitted> {
    const { deadline, traceparent } = limits;
    const { rules, queue, cache, estimates, now, newId, idSecret, usage, audit, onAnswered } = this.#parts;
    const data: QueryJobData = {
      ...(await jobOf(body, rules, now(), waitMs)),
      principal: idOfPrincipal(caller),
      ...(deadline === undefined ? {} : { deadline }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    const id = key === undefined ? newId() : idOfKey(await idSecret(limits), caller, key);
    if (key !== undefined) {
      const earlier = await queue.find(id, limits);
      if (earlier !== undefined) return { record: sameRequest(earlier, data), cache: undefined };
    }
    const answer = await cache.find({ id, data, caller, use: refusesCache(body) ? 'avoid' : use }, limits);
    let taken: QueryRecord | undefined;
    try {
      // A kept result scans nothing.
      if (data.maxBytesScanned !== undefined && answer.result !== 'hit')
        await estimates.refuseAbove(data.maxBytesScanned, data, estimateSignal(limits, now()));
      taken = await this.#take(id, data, answer, limits);
    } catch (error) {
      if (answer.result === 'miss') void cache.release(answer.key, id);
      throw error;
    }
    if (taken === undefined) throw keyConflict();
    onAnswered(data, answer.result);
    audit.submitted(id, data, answer.result);
    if (data.report !== undefined) void usage.count(data.report, data.submittedAt);
    // Another request with the key may have arrived in between; the first one is kept.
    return { record: key === undefined ? taken : sameRequest((await queue.find(id, limits)) ?? taken, data), cache: answer.result };
  }

  /** Estimates the bytes that a request would scan. Nothing is queued. */
  async estimate(body: unknown, limits: RequestLimits): Promise<QueryEstimate> {
    const { rules, estimates, now } = this.#parts;
    return await estimates.of(await jobOf(body, rules, now()), estimateSignal(limits, now()));
  }

  /** Undefined when the id belongs to a query of another engine. */
  async #take(id: string, data: QueryJobData, answer: CacheAnswer, limits: RequestLimits): Promise<QueryRecord | undefined> {
    const { queue } = this.#parts;
    const record: QueryRecord = { id, data, state: 'queued', progress: undefined, outcome: undefined };
    switch (answer.result) {
      case 'hit':
        if (!(await queue.submitAnswered(id, { data, outcome: answer.outcome }, limits))) return undefined;
        return { ...record, state: answer.outcome.state, outcome: answer.outcome };
      case 'shared': {
        const keyed = { ...data, cacheKey: answer.key };
        if (!(await queue.submitAnswered(id, { data: keyed, following: answer.leader }, limits))) return undefined;
        // The other query may have ended before this one followed it: a read finds out.
        return (await queue.find(id, limits).catch(() => undefined)) ?? record;
      }
      default:
        return (await queue.submit(id, answer.key === undefined ? data : { ...data, cacheKey: answer.key }, limits)) ? record : undefined;
    }
  }

  /** The query now, or after a wait for its end of at most `waitMs` and the time of its caller. */
  async get(id: string, waitMs: number, caller: Principal, limits: RequestLimits): Promise<QueryRecord> {
    if (!idPattern.test(id)) throw notFound(id);
    return await this.#parts.queue.withPlace(await this.#look(id, waitMs, caller, limits), limits);
  }

  async #look(id: string, waitMs: number, caller: Principal, limits: RequestLimits, engine?: EngineName): Promise<QueryRecord> {
    const { queue, waits, now, sleep } = this.#parts;
    const find = async (): Promise<QueryRecord | undefined> => await queue.find(id, limits, (data) => maySee(caller, data), engine);
    const leftMs = Math.min(waitMs, (limits.deadline ?? Number.POSITIVE_INFINITY) - now());
    const record =
      leftMs > 0
        ? await waits.untilEnded({ id, find, waitMs: leftMs, now, sleep, signal: limits.signal ?? new AbortController().signal })
        : await find();
    if (record === undefined) throw notFound(id);
    return record;
  }

  /** Queries from the newest on: those of the caller, or of every caller for `admin`. */
  async list(request: ListRequest, caller: Principal, limits: RequestLimits): Promise<QueryList> {
    return await this.#parts.queue.list(request, caller, limits);
  }

  /**
   * The query just submitted, once it ended or `waitMs` are over. It has been taken: a failed read of its state does not fail the request.
   *
   * @param onTimeout whether a query that has not ended by then continues or is cancelled
   */
  async settle(
    submitted: QueryRecord,
    waitMs: number,
    caller: Principal,
    limits: RequestLimits,
    onTimeout: WaitTimeout = 'continue',
  ): Promise<QueryRecord> {
    const until = this.#parts.now() + waitMs;
    try {
      const record = await this.#look(submitted.id, waitMs, caller, limits, submitted.data.engine);
      // A wait that ended early, for want of a place or with its client, is not a timeout.
      if (isFinal(record.state) || onTimeout === 'continue' || this.#parts.now() < until)
        return await this.#parts.queue.withPlace(record, limits);
      return await this.cancel(submitted.id, caller, limits);
    } catch (error) {
      return unlessUnanswered(error, submitted);
    }
  }

  /**
   * The changes of a query as server-sent events, from the event behind `after` on. Undefined after the last one.
   *
   * @throws QueryError `overloaded` when too many streams are open
   */
  async events(id: string, after: number, caller: Principal, limits: EventLimits): Promise<AsyncIterable<string> | undefined> {
    const { changes, streams, now, sleep } = this.#parts;
    const first = await this.get(id, 0, caller, limits);
    if (hasSeenAll(first, after)) return undefined;
    const release = streams.open(caller);
    let changed = new AbortController();
    const stopListening = changes.onChange(id, () => changed.abort());
    const events = queryEvents(first, {
      find: async () => await this.get(id, 0, caller, limits),
      after,
      now,
      untilChanged: async (ms, signal) => {
        await sleep(ms, AbortSignal.any([signal, changed.signal]));
        if (changed.signal.aborted) changed = new AbortController();
      },
      signal: limits.signal,
    });
    const close = (): void => {
      stopListening();
      release();
    };
    limits.signal.addEventListener('abort', close, { once: true });
    if (limits.signal.aborted) close();
    return closing(events, close);
  }

  /** Asks for the query to be cancelled and returns it as it is then. An ended query stays as it is. */
  async cancel(id: string, caller: Principal, limits: RequestLimits): Promise<QueryRecord> {
    const record = await this.get(id, 0, caller, limits);
    if (isFinal(record.state)) return record;
    // No signal: the request to cancel holds even if its sender disconnects at once.
    await this.#parts.queue.requestCancel(id, { deadline: limits.deadline });
    // The query that it follows continues: it is another caller's.
    if (record.isFollowing === true) {
      const at = this.#parts.now();
      await this.#parts.queue.endFollowing(id, { state: 'cancelled', startedAt: at, finishedAt: at }, { deadline: limits.deadline });
    }
    this.#parts.audit.cancelRequested(record, caller);
    return await this.get(id, 0, caller, limits);
  }

  /** One page of results. */
  async page(id: string, cursor: string | undefined, limit: number, caller: Principal, limits: RequestLimits): Promise<ResultPage> {
    const { store, manifest } = await this.#result(await this.#succeeded(id, caller, limits), limits);
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
  async whole(id: string, caller: Principal, limits: RequestLimits): Promise<WholeResult> {
    const { store, manifest } = await this.#result(await this.#succeeded(id, caller, limits), limits);
    return { manifest, rows: readRows(store, manifest, limits.signal) };
  }

  /** Links to the parts of a result. They need no credentials, so each answer with links is audited. */
  async links(id: string, asked: LinkRequest, caller: Principal, limits: RequestLimits): Promise<ResultLinks> {
    const record = await this.#succeeded(id, caller, limits);
    const { manifest } = await this.#result(record, limits);
    const links = await linksTo(manifest, asked, this.#parts.now(), this.#parts.linkTo);
    this.#parts.audit.resultsLinked(record, caller, links.expiresAt);
    return links;
  }

  /** Refuses a query that has no result to give. */
  async checkResult(id: string, caller: Principal, limits: RequestLimits): Promise<void> {
    await this.#succeeded(id, caller, limits);
  }

  async #succeeded(id: string, caller: Principal, limits: RequestLimits): Promise<QueryRecord> {
    const record = await this.get(id, 0, caller, limits);
    const { state, outcome } = record;
    if (!isFinal(state))
      throw new QueryError('not-finished', `The query is ${state}. Ask /v1/queries/${id}?wait=30 for its end.`, { retryAfterSeconds: 1 });
    if (state !== 'succeeded')
      throw new QueryError(
        'no-results',
        `The query ${state === 'failed' ? `failed: ${outcome?.error?.detail ?? 'no reason is known'}` : 'was cancelled.'}`,
      );
    return record;
  }

  /** Where the result is read: on S3, or in the query itself for a small or a stale answer. */
  async #result(
    { id, outcome }: QueryRecord,
    { signal, deadline }: RequestLimits,
  ): Promise<{ store: Pick<ObjectStore, 'get'>; manifest: ResultManifest }> {
    const store = this.#parts.results(deadline);
    if (outcome?.stale !== undefined) return { store, manifest: inlineResult(id, outcome.stale) };
    const manifest = outcome?.small ?? (await this.#parts.manifests.read(store, outcome?.resultOf ?? id, signal));
    // Cursors carry the id of the query: the client knows its own only.
    return { store, manifest: { ...manifest, queryId: id } };
  }
}

/** The same events; `close` is called at their end. */
async function* closing(events: AsyncIterable<string>, close: () => void): AsyncGenerator<string> {
  try {
    yield* events;
  } finally {
    close();
  }
}

/** Longest estimate, in milliseconds. */
const estimateMsMax = 20_000;

function estimateSignal({ signal, deadline }: RequestLimits, nowMs: number): AbortSignal {
  // The deadline has its own answer; a request that has passed it is refused before.
  const leftMs = deadline === undefined ? estimateMsMax : Math.min(estimateMsMax, Math.max(0, deadline - nowMs));
  const late = AbortSignal.timeout(leftMs);
  return signal === undefined ? late : AbortSignal.any([signal, late]);
}

function refusesCache(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'cache' in body && body.cache === false;
}

function whatIsAsked({ sql, parameters, engine, layout, waitFor, report, timeoutMs }: QueryJobData): string {
  return JSON.stringify([sql, parameters, engine, layout, waitFor, report, timeoutMs]);
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
  if (error instanceof QueryError && (error.code === 'unavailable' || error.code === 'overloaded' || error.code === 'deadline-exceeded'))
    return instead;
  throw error;
}

function notFound(id: string): QueryError {
  return new QueryError('not-found', `There is no query ${id.slice(0, 64)}, or it is no longer kept.`);
}
