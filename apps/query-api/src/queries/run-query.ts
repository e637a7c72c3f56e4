import type { EngineName } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import type { QueryEngine } from '../engines/query-engine.ts';
import { QueryError, QueryStopped } from '../errors.ts';
import { writeResult, type ResultLimits } from '../results/write-result.ts';
import { readStatement } from '../statement/statement-text.ts';
import type { QueryJobData, QueryOutcome, QueryProgress } from './query-record.ts';

/** What running a query takes. */
export interface QueryRun {
  readonly id: string;
  readonly data: QueryJobData;
  /** What a former worker left; undefined at the first start. */
  readonly progress: QueryProgress | undefined;
  /** Keeps the progress where a successor finds it. */
  readonly saveProgress: (progress: QueryProgress) => Promise<void>;
  /** Aborted with a {@link QueryStopped}. */
  readonly signal: AbortSignal;
}

/** Where queries run. */
export interface QueryRunEnvironment {
  readonly engines: ReadonlyMap<EngineName, QueryEngine>;
  readonly results: ObjectStore;
  readonly limits: ResultLimits;
  readonly now: () => number;
  readonly newWriterId: () => string;
  /** Calls back after a time and returns what takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Told of what failed on our side, with its cause, which the client is not shown. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Runs one query to its end and returns how it ended. Whatever is the query's own fault or the engine's is an outcome.
 *
 * @throws QueryStopped `handed-over` when this worker stops before the query does; a successor goes on
 */
export async function runQuery(query: QueryRun, environment: QueryRunEnvironment): Promise<QueryOutcome> {
  const { engines, results, limits, now, newWriterId, after, onFailure } = environment;
  const { id, data } = query;
  const startedAt = query.progress?.startedAt ?? now();
  const stop = new AbortController();
  const forward = (): void => stop.abort(query.signal.reason);
  query.signal.addEventListener('abort', forward, { once: true });
  if (query.signal.aborted) forward();
  // Counted from the first start: a query that changes workers has no more time than another.
  const disarm = after(Math.max(0, startedAt + data.timeoutMs - now()), () => stop.abort(new QueryStopped('deadline')));
  try {
    const engine = engines.get(data.engine);
    if (engine === undefined) throw new QueryError('engine-failed', `This worker has no engine ${data.engine}.`);
    await query.saveProgress({ ...query.progress, startedAt });
    const result = await engine.run({
      queryId: id,
      statement: readStatement(data.sql),
      parameters: data.parameters,
      executionId: query.progress?.executionId,
      onStarted: async (executionId) => await query.saveProgress({ startedAt, executionId }),
      signal: stop.signal,
    });
    const manifest = await writeResult(results, { queryId: id, writerId: newWriterId() }, result, limits, stop.signal);
    const finishedAt = now();
    return {
      state: 'succeeded',
      startedAt,
      finishedAt,
      statistics: { rows: manifest.rows, bytesScanned: manifest.bytesScanned, queuedMs: startedAt - data.submittedAt, executionMs: finishedAt - startedAt },
    };
  } catch (error) {
    const cause = stop.signal.aborted ? (stop.signal.reason as unknown) : error;
    if (cause instanceof QueryStopped) {
      if (cause.code === 'handed-over') throw cause;
      if (cause.code === 'cancelled') return { state: 'cancelled', startedAt, finishedAt: now() };
      const late = new QueryError('deadline-exceeded', `The query did not finish within ${data.timeoutMs} ms. Read less, or ask for more time with timeoutMs.`);
      return { state: 'failed', startedAt, finishedAt: now(), error: late.toProblem() };
    }
    if (!(cause instanceof QueryError) || cause.cause !== undefined) onFailure(cause);
    const known = cause instanceof QueryError ? cause : new QueryError('internal', 'The query failed for a reason on our side.');
    return { state: 'failed', startedAt, finishedAt: now(), error: known.toProblem() };
  } finally {
    disarm();
    query.signal.removeEventListener('abort', forward);
  }
}
