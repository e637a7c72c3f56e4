import type {
  EngineName,
  LayoutFallback,
  LayoutName,
  Problem,
  QueryPhase,
  QueryState,
  QueryStatistics,
  QueryView,
} from '@millrace/contracts';
import { samePrincipal, type Principal, type PrincipalId } from '@millrace/runtime';
import type { Parameter, ResultColumn, ResultRow } from '../engines/query-engine.ts';
import type { AwaitedOffset } from '../layouts/coverage.ts';
import type { ResultManifest } from '../results/result-manifest.ts';
import type { LakeVersion } from './cache/lake-versions.ts';

/** The submitted query: the data of its job. */
export interface QueryJobData {
  /** The statement as the caller or the report wrote it. */
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly engine: EngineName;
  /** The layout that the caller or the settings chose. Absent in jobs of versions that had only the base. */
  readonly layout?: LayoutName;
  /** Events that the layout must hold before the query starts. */
  readonly waitFor?: readonly AwaitedOffset[];
  /** Time at which a query whose events are still missing fails, in epoch milliseconds. */
  readonly coverBy?: number;
  /** Principal that submitted it. Absent in jobs of versions that did not record it; those belong to no caller. */
  readonly principal?: PrincipalId;
  /** Name of the report the statement belongs to. */
  readonly report?: string;
  readonly timeoutMs: number;
  /** Bytes that the estimate of the query may have. */
  readonly maxBytesScanned?: number;
  /** The caller's deadline, in epoch milliseconds. */
  readonly deadline?: number;
  /** W3C trace context of the request that submitted it. Absent while tracing is off. */
  readonly traceparent?: string;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
  /** Key under which the result may be kept for equal queries. Absent: it may not. */
  readonly cacheKey?: string;
}

/** How far a query is: the progress of its job. A successor of a dead worker continues from here. */
export interface QueryProgress {
  /** Epoch milliseconds of the first start. */
  readonly startedAt: number;
  /** The engine's id of the execution. */
  readonly executionId?: string;
  /** The snapshots that the execution reads, kept before its start: a successor sends the same statement. */
  readonly pinned?: PinnedLayout;
  /** Progress of the execution, for readers only. */
  readonly reading?: ReadingProgress;
}

/** Progress of an execution. */
export interface ReadingProgress {
  readonly phase: Extract<QueryPhase, 'executing' | 'writing'>;
  /** Absent while the engine does not report it. */
  readonly bytesScanned?: number;
}

/** The choice of a layout that a successor must repeat. */
export interface PinnedLayout {
  /** Id of the snapshot of each table. Absent: the statement reads the base. */
  readonly snapshots?: Readonly<Record<string, number>>;
  readonly fallback?: LayoutFallback;
  readonly version?: LakeVersion;
}

/** The last good answer of a report, given instead of one that could not be had. */
export interface StaleAnswer {
  /** Epoch milliseconds at which it was valid. */
  readonly asOf: number;
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly ResultRow[];
}

/** The end of a query, which its job returned. A failed query is a job that did its work. */
export interface QueryOutcome {
  readonly state: Extract<QueryState, 'succeeded' | 'failed' | 'cancelled'>;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly statistics?: QueryStatistics;
  readonly error?: Problem;
  /** An earlier result, given instead of one that could not be computed. */
  readonly stale?: StaleAnswer;
  /** The state of the tables for which the result is exact. Absent when it is not known. */
  readonly asOf?: LakeVersion;
  /** Time from the request to cancel to the end, in milliseconds. */
  readonly cancelMs?: number;
  /** The query under whose id the result lies. Absent: this one. Its id is not for clients: it may be another caller's. */
  readonly resultOf?: string;
  /** The manifest of a small result, with its rows. Absent: it is on S3 only. */
  readonly small?: ResultManifest;
  /** Epoch milliseconds at which the result was computed, when it was computed for an earlier query. */
  readonly cachedAt?: number;
}

/** Everything known of a query. */
export interface QueryRecord {
  readonly id: string;
  readonly data: QueryJobData;
  readonly state: QueryState;
  readonly progress: QueryProgress | undefined;
  readonly outcome: QueryOutcome | undefined;
  /** Whether the query waits for the result of an equal one that runs. */
  readonly isFollowing?: boolean;
  /** Place among the queries that wait for the engine; 1 is the next. Absent for a query that does not wait there. */
  readonly queuePosition?: number;
}

/** Whether a caller may see and cancel a query: its principal may, and so may the scope `admin`. */
export function maySee(caller: Principal, { principal }: Pick<QueryJobData, 'principal'>): boolean {
  return caller.scopes.has('admin') || (principal !== undefined && samePrincipal(principal, caller));
}

const finalStates: ReadonlySet<QueryState> = new Set(['succeeded', 'failed', 'cancelled']);

/** Whether a query in this state will never change again. */
export function isFinal(state: QueryState): boolean {
  return finalStates.has(state);
}

/** The query as the API shows it. */
export function viewOf(record: QueryRecord): QueryView {
  const { id, data, state, progress, outcome } = record;
  const startedAt = outcome?.startedAt ?? progress?.startedAt;
  return {
    id,
    state,
    engine: data.engine,
    ...(data.report === undefined ? { sql: data.sql } : { report: data.report }),
    submittedAt: iso(data.submittedAt),
    ...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
    ...(outcome === undefined ? {} : { finishedAt: iso(outcome.finishedAt) }),
    ...(isFinal(state) ? {} : { progress: shownProgress(record) }),
    ...(outcome?.statistics === undefined ? {} : { statistics: outcome.statistics }),
    ...(outcome?.error === undefined ? {} : { error: outcome.error }),
    ...(outcome?.stale === undefined
      ? {}
      : { stale: { asOf: iso(outcome.stale.asOf), ageSeconds: Math.round((outcome.finishedAt - outcome.stale.asOf) / 1000) } }),
    ...(outcome?.cancelMs === undefined ? {} : { cancelMs: outcome.cancelMs }),
    ...(outcome?.asOf === undefined ? {} : { asOf: outcome.asOf.map(({ table, topic, offsets }) => ({ table, topic, offsets })) }),
    ...(outcome?.cachedAt === undefined ? {} : { cached: { at: iso(outcome.cachedAt), ageSeconds: ageSecondsOf(outcome) } }),
    links: { self: `/v1/queries/${id}`, results: `/v1/queries/${id}/results` },
  };
}

function shownProgress({ progress, isFollowing = false, queuePosition }: QueryRecord): NonNullable<QueryView['progress']> {
  if (progress !== undefined) return progress.reading ?? { phase: progress.executionId === undefined ? 'preparing' : 'executing' };
  if (isFollowing) return { phase: 'following' };
  return { phase: 'waiting', ...(queuePosition === undefined ? {} : { queuePosition }) };
}

/** Age of a cached result in seconds; 0 for one of the query's own. */
export function ageSecondsOf({ cachedAt, finishedAt }: QueryOutcome): number {
  return cachedAt === undefined ? 0 : Math.max(0, Math.round((finishedAt - cachedAt) / 1000));
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
