import type { EngineName, Problem, QueryStatistics } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import { unlessAborted } from '@millrace/resilience';
import { uniqueNames } from '../engines/column-names.ts';
import type { EngineResult, QueryEngine } from '../engines/query-engine.ts';
import { QueryError, QueryStopped } from '../errors.ts';
import { smallManifest } from '../results/result-manifest.ts';
import { writeResult, type ResultLimits } from '../results/write-result.ts';
import type { Coverage } from '../layouts/coverage.ts';
import type { ChosenLayout, Layouts } from '../layouts/layouts.ts';
import { readStatement } from '../statement/statement-text.ts';
import type { QueryJobData, QueryOutcome, QueryProgress, ReadingProgress } from './query-record.ts';
import type { ResultKeeper, StateBefore } from './cache/result-keeper.ts';
import { unanswered } from '../unanswered.ts';
import type { Price } from './estimate/price.ts';
import { keeping, type Answered, type ReportAnswer } from './report-answers.ts';

/** One query to run. */
export interface QueryRun {
  readonly id: string;
  readonly data: QueryJobData;
  /** Progress of a former worker; undefined at the first start. */
  readonly progress: QueryProgress | undefined;
  /** Keeps the progress where a successor finds it. */
  readonly saveProgress: (progress: QueryProgress) => Promise<void>;
  /** Called once the query is in its engine, with a function that returns its progress. */
  readonly onReading: (reading: () => ReadingProgress) => void;
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
  /** Runs a report, or finds an earlier answer. */
  readonly answerReport: (
    data: QueryJobData,
    run: (signal: AbortSignal) => Promise<ReportAnswer>,
    signal: AbortSignal,
  ) => Promise<Answered>;
  /** The price of scanned bytes; undefined for engines that bill none. */
  readonly priceOf: (engine: EngineName, bytesScanned: number) => Price | undefined;
  /** Keeps results for later queries. */
  readonly keeper: Pick<ResultKeeper, 'before' | 'after' | 'exact'>;
  /** Chooses the files of the statement. */
  readonly layouts: Pick<Layouts, 'choose' | 'again'>;
  /** Returns whether the layout holds the events that a query waits for. */
  readonly coverage: Pick<Coverage, 'isCovered'>;
  /** Called with the reason why progress could not be saved. */
  readonly onProgressLost: (error: unknown) => void;
  /** Called with a failure on our side and its cause, which the client does not see. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Runs one query to its end and returns how it ended. A fault of the query or of the engine is an outcome.
 *
 * @throws QueryStopped `handed-over` when this worker stops before the query does; a successor continues
 */
export async function runQuery(query: QueryRun, environment: QueryRunEnvironment): Promise<QueryOutcome> {
  const { now, after, onFailure, answerReport } = environment;
  const { data } = query;
  const startedAt = query.progress?.startedAt ?? now();
  const stop = new AbortController();
  const forward = (): void => stop.abort(query.signal.reason);
  query.signal.addEventListener('abort', forward, { once: true });
  if (query.signal.aborted) forward();
  // Counted from the first start: a query that changes workers has no more time than another. Its caller may no longer wait.
  const leftMs = Math.min(startedAt + data.timeoutMs, data.deadline ?? Number.POSITIVE_INFINITY) - now();
  const late = (): void => stop.abort(new QueryStopped('deadline'));
  const disarm = after(Math.max(0, leftMs), late);
  try {
    if (leftMs <= 0) late();
    stop.signal.throwIfAborted();
    let isProgressKept = true;
    const keep = async (progress: QueryProgress): Promise<void> => {
      isProgressKept = (await keepProgress(query, progress, environment, stop.signal)) && isProgressKept;
    };
    const { reading: _ofFormerWorker, ...earlier } = query.progress ?? {};
    await keep({ ...earlier, startedAt });
    await requireCovered(data, environment, stop.signal);
    let chosen: ChosenLayout | undefined;
    let before: StateBefore | undefined;
    const run = async (signal: AbortSignal): Promise<ReportAnswer> => {
      const layout = await layoutOf(query, environment, async (pinned) => await keep({ ...earlier, startedAt, pinned }), signal);
      chosen = layout.chosen;
      // A resumed execution may have read the tables before this worker did.
      if (query.progress === undefined && chosen.version === undefined) before = await environment.keeper.before(data, stop.signal);
      stop.signal.throwIfAborted();
      const onStarted = async (executionId: string): Promise<void> => await keep({ startedAt, executionId, ...layout.progress });
      return await execute(query, environment, { chosen, onStarted, signal });
    };
    const answered: Answered = data.report === undefined ? { fresh: await run(stop.signal) } : await answerReport(data, run, stop.signal);
    const finishedAt = now();
    const asOf =
      // Another worker that did not know of this run may have been the first to write the result.
      chosen === undefined || !isProgressKept || !('fresh' in answered) || query.progress !== undefined
        ? undefined
        : await keptState(
            chosen,
            before,
            { queryId: query.id, finishedAt, rows: answered.fresh.rows },
            { query, environment, signal: stop.signal },
          );
    const { rows, bytesScanned } = 'fresh' in answered ? answered.fresh : { rows: answered.stale.rows.length, bytesScanned: 0 };
    return {
      state: 'succeeded',
      startedAt,
      finishedAt,
      statistics: {
        rows,
        bytesScanned,
        queuedMs: startedAt - data.submittedAt,
        executionMs: finishedAt - startedAt,
        ...('fresh' in answered ? { ...environment.priceOf(data.engine, bytesScanned), ...filesOf(chosen, answered.fresh) } : {}),
      },
      ...('stale' in answered ? { stale: answered.stale } : smallOf(answered.fresh)),
      ...(asOf === undefined ? {} : { asOf }),
    };
  } catch (error) {
    const cause = stop.signal.aborted ? (stop.signal.reason as unknown) : error;
    if (cause instanceof QueryStopped) {
      if (cause.code === 'handed-over') throw cause;
      if (cause.code === 'cancelled') return { state: 'cancelled', startedAt, finishedAt: now() };
      return { state: 'failed', startedAt, finishedAt: now(), error: lateProblem(data, now()) };
    }
    if (!(cause instanceof QueryError) || cause.cause !== undefined) onFailure(cause);
    const known = cause instanceof QueryError ? cause : new QueryError('internal', 'The query failed for a reason on our side.');
    return { state: 'failed', startedAt, finishedAt: now(), error: known.toProblem() };
  } finally {
    disarm();
    query.signal.removeEventListener('abort', forward);
  }
}

/** Caches the result for equal queries. Returns the state of the tables for which the result is exact. */
async function keptState(
  { version }: ChosenLayout,
  before: StateBefore | undefined,
  result: { readonly queryId: string; readonly finishedAt: number; readonly rows: number },
  { query, environment, signal }: { query: QueryRun; environment: QueryRunEnvironment; signal: AbortSignal },
): Promise<QueryOutcome['asOf']> {
  const { keeper } = environment;
  if (version !== undefined) return await keeper.exact(query.data, { ...result, version }, signal);
  return before === undefined ? undefined : await keeper.after(before, result, signal);
}

function smallOf({ small }: ReportAnswer): Pick<QueryOutcome, 'small'> {
  return small === undefined ? {} : { small };
}

/** The files that a query read. */
function filesOf(chosen: ChosenLayout | undefined, { files }: ReportAnswer): Pick<QueryStatistics, 'layout' | 'layoutFallback' | 'files'> {
  if (chosen?.layout === undefined) return {};
  return {
    layout: chosen.layout,
    ...(chosen.fallback === undefined ? {} : { layoutFallback: chosen.fallback }),
    ...(files === undefined ? {} : { files }),
  };
}

/**
 * The files of a run, and the part of that choice that a successor must know. An engine that attaches to an execution needs the same
 * statement.
 */
async function layoutOf(
  { data, progress }: QueryRun,
  { layouts }: QueryRunEnvironment,
  keepPinned: (pinned: NonNullable<QueryProgress['pinned']>) => Promise<void>,
  signal: AbortSignal,
): Promise<{ readonly chosen: ChosenLayout; readonly progress: Pick<QueryProgress, 'pinned'> }> {
  const { engine, layout, parameters } = data;
  const question = { engine, layout, statement: readStatement(data.sql), parameters };
  const earlier = progress?.pinned;
  if (earlier !== undefined) {
    const { snapshots, fallback, version } = earlier;
    const again =
      snapshots === undefined ? await layouts.choose({ ...question, layout: 'base' }, signal) : await layouts.again(question, snapshots);
    if (again !== undefined) {
      const chosen = { ...again, ...(fallback === undefined ? {} : { fallback }), ...(version === undefined ? {} : { version }) };
      return { chosen, progress: { pinned: earlier } };
    }
  }
  const chosen = await layouts.choose(question, signal);
  if (engine === 'duckdb' || layout !== 'iceberg' || chosen.layout === undefined) return { chosen, progress: {} };
  const { snapshots, fallback, version } = chosen;
  const pinned = {
    ...(snapshots === undefined ? {} : { snapshots }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(version === undefined ? {} : { version }),
  };
  await keepPinned(pinned);
  return { chosen, progress: { pinned } };
}

/**
 * Fails a query whose events the layout does not hold. The worker lets such a query wait in the queue until its time is over.
 *
 * @throws QueryError `not-covered`, or `unavailable` when S3 or Glue does not answer
 */
async function requireCovered(data: QueryJobData, { coverage }: QueryRunEnvironment, signal: AbortSignal): Promise<void> {
  if (data.waitFor === undefined) return;
  let isCovered: boolean;
  try {
    isCovered = await coverage.isCovered(data, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unanswered(error, 'The table cannot be asked for the awaited events: S3 or the catalog does not answer.');
  }
  if (isCovered) return;
  throw new QueryError(
    'not-covered',
    'The table did not hold every event of waitFor within the time of the wait. Wait longer, or check the lag of the sink and, for the layout iceberg, of the projector.',
  );
}

function lateProblem({ timeoutMs, deadline }: QueryJobData, nowMs: number): Problem {
  const detail =
    deadline !== undefined && deadline <= nowMs
      ? 'The deadline of the caller passed before the query had finished.'
      : `The query did not finish within ${timeoutMs} ms. Read less, or ask for more time with timeoutMs.`;
  return new QueryError('deadline-exceeded', detail).toProblem();
}

/**
 * Saves the progress, and continues without it when that fails: only a successor needs it, and can work without it. Athena gives it the
 * same execution for the query's own token, so that nothing is paid twice, and its time begins anew. This never fails the query, and
 * waits for Redis at most until the time limit of the query.
 *
 * @returns whether the progress is kept
 */
async function keepProgress(
  { saveProgress }: QueryRun,
  progress: QueryProgress,
  { onProgressLost }: QueryRunEnvironment,
  signal: AbortSignal,
): Promise<boolean> {
  let isKept = true;
  try {
    await unlessAborted(saveProgress(progress), signal);
  } catch (error) {
    isKept = false;
    onProgressLost(error);
  }
  signal.throwIfAborted();
  return isKept;
}

/** The query in its engine, and its result on S3. */
async function execute(
  { id, data, progress, onReading }: QueryRun,
  { engines, results, limits, now, newWriterId }: QueryRunEnvironment,
  {
    chosen,
    onStarted,
    signal,
  }: { readonly chosen: ChosenLayout; readonly onStarted: (executionId: string) => Promise<void>; readonly signal: AbortSignal },
): Promise<ReportAnswer> {
  const engine = engines.get(data.engine);
  if (engine === undefined) throw new QueryError('engine-failed', `This worker has no engine ${data.engine}.`);
  let phase: ReadingProgress['phase'] = 'executing';
  let bytesRead: (() => number) | undefined;
  onReading(() => ({ phase, ...(bytesRead === undefined ? {} : { bytesScanned: bytesRead() }) }));
  const answer = await engine.run({
    queryId: id,
    statement: chosen.statement,
    parameters: data.parameters,
    ...(chosen.tables === undefined ? {} : { tables: chosen.tables }),
    executionId: progress?.executionId,
    ...userOf(data),
    ...(data.maxBytesScanned === undefined ? {} : { bytesScannedMax: data.maxBytesScanned }),
    onStarted,
    onReading: (read) => (bytesRead = read),
    signal,
  });
  phase = 'writing';
  const { result, kept } = keeping(withUniqueNames(answer));
  const manifest = await writeResult(results, { queryId: id, writerId: newWriterId() }, result, limits, signal);
  const { rows, bytesScanned } = manifest;
  const small = smallManifest(manifest);
  return {
    finishedAt: now(),
    rows,
    bytesScanned,
    kept: kept(),
    ...(small === undefined ? {} : { small }),
    ...(answer.files === undefined ? {} : { files: answer.files }),
  };
}

/** The caller, where authentication knows one. */
function userOf({ principal }: QueryJobData): { readonly user?: string } {
  return principal === undefined || principal.kind === 'anonymous' ? {} : { user: principal.subject };
}

/** The same result with unique column names. */
function withUniqueNames(result: EngineResult): EngineResult {
  const names = uniqueNames(result.columns.map(({ name }) => name));
  return { ...result, columns: result.columns.map((column, index) => ({ ...column, name: names[index]! })) };
}
