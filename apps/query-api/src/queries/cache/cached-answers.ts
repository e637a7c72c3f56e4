import type { Stream } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/lake';
import { unlessAborted } from '@millrace/resilience';
import type { Principal } from '@millrace/runtime';
import type { RequestLimits } from '../../guards.ts';
import type { KeptManifests } from '../../results/kept-manifests.ts';
import type { StatementGate } from '../../statement/statement-gate.ts';
import { readStatement } from '../../statement/statement-text.ts';
import { isFinal, type QueryJobData, type QueryOutcome, type QueryRecord } from '../query-record.ts';
import type { LakeVersion, LakeVersions, VersionScope } from './lake-versions.ts';
import type { ResultCache } from './result-cache.ts';
import { cacheKeyOf, isRepeatable } from './statement-key.ts';
import { readsOf } from './statement-reads.ts';

/** Time limit for a leader to become visible, in milliseconds. A leader runs for equal queries. */
export const leaderVisibleMs = 5000;

/**
 * Use of the cache by a request. `use` allows a kept result, `refresh` runs the statement and keeps its result, `avoid` runs it and keeps
 * nothing.
 */
export type CacheUse = 'use' | 'refresh' | 'avoid';

/** Source of an answer: a kept result, the run of an equal query, a separate run, or a run without the cache. */
export type CacheResult = 'hit' | 'shared' | 'miss' | 'bypass';

/** Where the answer of a query comes from. */
export type CacheAnswer =
  | { readonly result: 'hit'; readonly outcome: QueryOutcome }
  | { readonly result: 'shared'; readonly leader: string; readonly key: string }
  | { readonly result: 'miss'; readonly key: string }
  | { readonly result: 'bypass'; readonly key?: string };

/** A query that is to be answered. */
export interface CacheQuestion {
  readonly id: string;
  readonly data: QueryJobData;
  readonly caller: Principal;
  readonly use: CacheUse;
}

/** Parts of {@link CachedAnswers}. */
export interface CachedAnswersParts {
  readonly gate: Pick<StatementGate, 'tree'>;
  readonly streams: readonly Stream[];
  readonly versions: LakeVersions;
  readonly cache: Pick<ResultCache, 'find' | 'renew' | 'forget' | 'lead' | 'release'>;
  readonly findQuery: (id: string, limits: RequestLimits) => Promise<QueryRecord | undefined>;
  readonly manifests: Pick<KeptManifests, 'isKept'>;
  readonly results: (deadline: number | undefined) => Pick<ObjectStore, 'size'>;
  /** Time limit of the check of lake and result in milliseconds. After it, the statement runs. */
  readonly lookMsMax: number;
  /** Maximum age of the check of the lake, in milliseconds. 0 checks for each query. */
  readonly staleMsMax: number;
  readonly now: () => number;
  /** Called with the reason why the cache could not be used. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Finds the result of an equal query that is still exact, or an equal query that runs. A result is exact as long as nothing was added to
 * the partitions that its statement may read. The check of this may be `staleMsMax` old.
 */
export class CachedAnswers {
  readonly #parts: CachedAnswersParts;

  constructor(parts: CachedAnswersParts) {
    this.#parts = parts;
  }

  /** Never fails: without an answer the statement runs. */
  async find(question: CacheQuestion, limits: RequestLimits): Promise<CacheAnswer> {
    try {
      return await this.#find(question, limits);
    } catch (error) {
      limits.signal?.throwIfAborted();
      this.#parts.onFailure(error);
      return { result: 'bypass' };
    }
  }

  /** Gives up the lead of a query that was refused, so that no equal query waits for it. Never fails. */
  async release(key: string, id: string): Promise<void> {
    await this.#parts.cache.release(key, id).catch(this.#parts.onFailure);
  }

  async #find({ id, data, caller, use }: CacheQuestion, limits: RequestLimits): Promise<CacheAnswer> {
    if (use === 'avoid') return { result: 'bypass' };
    const { gate, streams, cache, now } = this.#parts;
    const { text } = readStatement(data.sql);
    if (!isRepeatable(text, data.parameters)) return { result: 'bypass' };
    const reads = await readsOf(gate, streams, text, data.parameters);
    // A statement without tables has nothing by which its result could be checked, and costs little.
    if (reads.size === 0) return { result: 'bypass' };
    const key = cacheKeyOf({ ...data, text, rights: [...caller.scopes] });
    if (use === 'refresh') return { result: 'bypass', key };

    const { result, leader } = await cache.find(key);
    if (result !== undefined) {
      const signal = AbortSignal.any([AbortSignal.timeout(this.#parts.lookMsMax), ...(limits.signal === undefined ? [] : [limits.signal])]);
      const [view, isKept] = await Promise.all([
        this.#parts.versions.read(reads, signal, scopeOf(data), data.waitFor === undefined ? this.#parts.staleMsMax : 0),
        unlessAborted(this.#parts.manifests.isKept(this.#parts.results(limits.deadline), result.queryId, signal), signal),
      ]);
      if (view !== undefined && isKept === true && view.isSameFor(result.version) && holds(view.version, data)) {
        const at = now();
        // Later checks then compare with a more recent state.
        if (JSON.stringify(view.version) !== JSON.stringify(result.version)) await cache.renew(key, { ...result, version: view.version });
        return {
          result: 'hit',
          outcome: {
            state: 'succeeded',
            startedAt: data.submittedAt,
            finishedAt: at,
            statistics: { rows: result.rows, bytesScanned: 0, queuedMs: 0, executionMs: at - data.submittedAt },
            asOf: view.version,
            resultOf: result.queryId,
            cachedAt: result.finishedAt,
          },
        };
      }
      if (view !== undefined && isKept === false && !signal.aborted) await cache.forget(key);
    }
    // The run of an equal query may have begun before its layout held the events.
    if (data.waitFor !== undefined) return { result: 'bypass', key };
    // A query with a deadline runs alone: the one that it would follow may take longer.
    if (data.deadline !== undefined) return { result: 'bypass', key };
    const isLive = async (other: string): Promise<boolean> => await this.#isLive(other, limits);
    const chosen = leader !== undefined && (await isLive(leader)) ? leader : await cache.lead(key, leader, leaderText(id, now()));
    const [leaderId = id] = chosen.split(' ');
    return leaderId === id ? { result: 'miss', key } : { result: 'shared', leader: leaderId, key };
  }

  async #isLive(leader: string, limits: RequestLimits): Promise<boolean> {
    const [id = '', at] = leader.split(' ');
    const record = await this.#parts.findQuery(id, limits);
    if (record === undefined) return this.#parts.now() - Number(at) < leaderVisibleMs;
    return !isFinal(record.state) && record.state !== 'cancelling';
  }
}

/** The state by which a result of a query is exact: that of the Iceberg table where the engine reads nothing else. */
function scopeOf({ engine, layout }: QueryJobData): VersionScope {
  return engine !== 'duckdb' && layout === 'iceberg' ? 'projected' : 'landed';
}

/** Whether a state holds the events that a query waits for. */
function holds(version: LakeVersion, { waitFor = [] }: QueryJobData): boolean {
  return waitFor.every(({ table, partition, offset }) =>
    version.some((one) => one.table === table && (one.offsets[partition] ?? 0) > offset),
  );
}

/** The query that leads and the time since when. */
function leaderText(id: string, at: number): string {
  return `${id} ${at}`;
}
