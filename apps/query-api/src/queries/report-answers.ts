import { createHash } from 'node:crypto';
import type { Pipeline } from '@millrace/resilience';
import type { EngineResult, ResultColumn, ResultRow } from '../engines/query-engine.ts';
import { isOutOfReach } from '../errors.ts';
import type { ResultManifest } from '../results/result-manifest.ts';
import type { QueryJobData, StaleAnswer } from './query-record.ts';

/** Largest report that is kept to replace a missing one later, in rows and in characters of JSON: it travels in the query's job. */
const keptRowsMax = 1000;
const keptCharactersMax = 256 * 1024;

/** Result of one run of a report. */
export interface ReportAnswer {
  /** Epoch milliseconds. */
  readonly finishedAt: number;
  readonly bytesScanned: number;
  readonly rows: number;
  /** Files that the engine was given, where it takes a list. */
  readonly files?: number;
  /** The manifest of a small result. */
  readonly small?: ResultManifest;
  /** The whole result, or undefined when it is too large to be kept. */
  readonly kept: { readonly columns: readonly ResultColumn[]; readonly rows: readonly ResultRow[] } | undefined;
}

/** The answer of this run, or an earlier one instead. */
export type Answered = { readonly fresh: ReportAnswer } | { readonly stale: StaleAnswer };

/** Where the last good answers of all workers are. */
export interface SharedAnswers {
  /** Keeps an answer in the place of an earlier one. */
  save(key: string, answer: StaleAnswer): Promise<void>;
  find(key: string): Promise<StaleAnswer | undefined>;
}

/**
 * Runs reports, and remembers the last good answer of each under its parameters and engine: in memory, and where the other workers find
 * it. So a worker that has just started, too, has an answer for an outage.
 */
export class ReportAnswers {
  readonly #pipeline: Pipeline;
  readonly #shared: SharedAnswers;

  /**
   * @param pipeline one with the fallback `cache`, and a cache that keeps only answers with their rows
   * @param shared may fail: a report then has the answers of this worker only
   */
  constructor(pipeline: Pipeline, shared: SharedAnswers) {
    this.#pipeline = pipeline;
    this.#shared = shared;
  }

  /**
   * @param run the run of the report
   * @throws the error of the run, when no earlier answer can replace it
   */
  async answer(
    { sql, parameters, engine }: QueryJobData,
    run: (signal: AbortSignal) => Promise<ReportAnswer>,
    signal: AbortSignal,
  ): Promise<Answered> {
    const key = createHash('sha256')
      .update(JSON.stringify([sql, parameters, engine]))
      .digest('base64url');
    const outcome = await this.#pipeline.executeOutcome(async ({ signal: running }) => await run(running), {
      key,
      signal,
      idempotent: false,
    });
    switch (outcome.result) {
      case 'succeeded':
      case 'cached': {
        const { finishedAt, kept } = outcome.value;
        // No caller waits for it: without it another worker has an older answer.
        if (kept !== undefined) void this.#shared.save(key, { asOf: finishedAt, ...kept }).catch(() => undefined);
        return { fresh: outcome.value };
      }
      case 'fell-back': {
        const { finishedAt, kept } = outcome.value as ReportAnswer;
        const own = { asOf: finishedAt, ...kept! };
        const shared = await this.#find(key);
        return { stale: shared !== undefined && shared.asOf > own.asOf ? shared : own };
      }
      default: {
        const stale = isOutOfReach(outcome.error) && !signal.aborted ? await this.#find(key) : undefined;
        if (stale === undefined) throw outcome.error;
        return { stale };
      }
    }
  }

  async #find(key: string): Promise<StaleAnswer | undefined> {
    return await this.#shared.find(key).catch(() => undefined);
  }
}

/** A result that keeps its rows as they are read, as long as they are few. */
export function keeping(result: EngineResult): { readonly result: EngineResult; readonly kept: () => ReportAnswer['kept'] } {
  let rows: ResultRow[] | undefined = [];
  let characters = 0;
  async function* read(): AsyncGenerator<readonly ResultRow[]> {
    for await (const batch of result.rows) {
      for (const row of batch) {
        if (rows === undefined) break;
        characters += JSON.stringify(row).length;
        if (rows.length >= keptRowsMax || characters > keptCharactersMax) rows = undefined;
        else rows.push(row);
      }
      yield batch;
    }
  }
  return {
    result: { columns: result.columns, rows: read(), bytesScanned: () => result.bytesScanned() },
    kept: () => (rows === undefined ? undefined : { columns: result.columns, rows }),
  };
}
