import type { Stream } from '@millrace/contracts';
import type { StatementGate } from '../../statement/statement-gate.ts';
import { readStatement } from '../../statement/statement-text.ts';
import type { TableReads } from '../../statement/table-reads.ts';
import type { QueryJobData } from '../query-record.ts';
import type { LakeVersion, LakeVersions, LakeView } from './lake-versions.ts';
import type { CachedResult, ResultCache } from './result-cache.ts';
import { readsOf } from './statement-reads.ts';

/** The state of the lake before a run. */
export interface StateBefore {
  readonly key: string;
  readonly reads: TableReads;
  readonly view: LakeView;
}

/** Parts of {@link ResultKeeper}. */
export interface ResultKeeperParts {
  readonly gate: Pick<StatementGate, 'tree'>;
  readonly streams: readonly Stream[];
  readonly versions: LakeVersions;
  /** Keeps a result in the cache. */
  readonly keep: ResultCache['keep'];
  /** Called with the reason why a result is not kept. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Keeps results for later queries. A result is kept only if the partitions that the statement may read were the same before and after the
 * run. It is then exact, whenever the engine read them. Keeping never fails, because a query does not need it.
 */
export class ResultKeeper {
  readonly #parts: ResultKeeperParts;

  constructor(parts: ResultKeeperParts) {
    this.#parts = parts;
  }

  /** Reads the state before the run. Undefined: the result of this run cannot be kept. */
  async before({ cacheKey, sql, parameters }: QueryJobData, signal: AbortSignal): Promise<StateBefore | undefined> {
    if (cacheKey === undefined) return undefined;
    try {
      const { gate, streams, versions } = this.#parts;
      const reads = await readsOf(gate, streams, readStatement(sql).text, parameters);
      const view = await versions.read(reads, signal);
      return view === undefined ? undefined : { key: cacheKey, reads, view };
    } catch (error) {
      if (!signal.aborted) this.#parts.onFailure(error);
      return undefined;
    }
  }

  /**
   * Keeps a result whose run read exactly the files of one state.
   *
   * @returns that state
   */
  async exact(
    { cacheKey }: Pick<QueryJobData, 'cacheKey'>,
    { queryId, finishedAt, rows, version }: CachedResult,
    signal: AbortSignal,
  ): Promise<LakeVersion> {
    try {
      if (cacheKey !== undefined) await this.#parts.keep(cacheKey, { queryId, version, finishedAt, rows });
    } catch (error) {
      if (!signal.aborted) this.#parts.onFailure(error);
    }
    return version;
  }

  /**
   * Keeps the result after the run.
   *
   * @returns the state for which the result is exact; undefined when it changed meanwhile or is not known
   */
  async after(
    { key, reads, view: before }: StateBefore,
    { queryId, finishedAt, rows }: { readonly queryId: string; readonly finishedAt: number; readonly rows: number },
    signal: AbortSignal,
  ): Promise<LakeVersion | undefined> {
    try {
      const after = await this.#parts.versions.read(reads, signal);
      if (after === undefined || !after.isSameFor(before.version)) return undefined;
      await this.#parts.keep(key, { queryId, version: after.version, finishedAt, rows });
      return after.version;
    } catch (error) {
      if (!signal.aborted) this.#parts.onFailure(error);
      return undefined;
    }
  }
}
