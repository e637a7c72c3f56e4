import type { QueryRequest, Stream, TableDetail } from '@millrace/contracts';
import { unlessAborted } from '@millrace/resilience';
import type { Principal } from '@millrace/runtime';
import { QueryError } from '../errors.ts';
import type { RequestLimits } from '../guards.ts';
import type { InlineAnswer } from '../queries/ask-inline.ts';
import { tableDetail } from './table-detail.ts';
import type { TableReader, TableState } from './table-reader.ts';

/** Longest wait for the sample, in milliseconds. */
const sampleMsMax = 5000;

/** Parts of {@link Tables}. */
export interface TablesParts {
  readonly database: string;
  readonly tables: readonly { readonly stream: Stream; readonly reader: Pick<TableReader, 'read'> }[];
  /** Runs a query of the caller. Undefined where there is no engine whose statements cost nothing. */
  readonly ask:
    | ((
        body: QueryRequest,
        caller: Principal,
        limits: RequestLimits,
        options: { readonly waitMs: number; readonly rows: number; readonly onTimeout: 'cancel' },
      ) => Promise<InlineAnswer>)
    | undefined;
}

/** The tables of the lake, for clients. */
export class Tables {
  readonly #parts: TablesParts;

  constructor(parts: TablesParts) {
    this.#parts = parts;
  }

  /**
   * Describes a table, with rows of its newest partition.
   *
   * @param sampleRows rows of the sample; 0 for none
   * @throws QueryError `not-found` for another table, `unavailable` when S3 or Glue does not answer
   */
  async describe(name: string, sampleRows: number, caller: Principal, limits: RequestLimits): Promise<TableDetail> {
    const { tables, database } = this.#parts;
    const table = tables.find(({ stream }) => stream.table === name);
    if (table === undefined)
      throw new QueryError(
        'not-found',
        `There is no table ${name}. The tables are ${tables.map(({ stream }) => stream.table).join(', ')}.`,
      );
    const state = await unlessAborted(table.reader.read(), limits.signal ?? new AbortController().signal);
    if (state === undefined) throw new QueryError('unavailable', 'The request ended before the table was read.', { retryAfterSeconds: 1 });
    const sample = sampleRows === 0 ? null : await this.#sample(table.stream, state, sampleRows, caller, limits);
    return { ...tableDetail(table.stream, database, state), sample };
  }

  async #sample(
    { table, partitionKey }: Stream,
    { lanes, registered }: TableState,
    rows: number,
    caller: Principal,
    limits: RequestLimits,
  ): Promise<TableDetail['sample']> {
    const { ask } = this.#parts;
    const newest = registered
      .map(({ value }) => value)
      .filter((value) => lanes.some(({ totals }) => (totals.days[value]?.rows ?? 0) > 0))
      .toSorted()
      .at(-1);
    if (ask === undefined || newest === undefined) return null;
    const body: QueryRequest = {
      sql: `SELECT * FROM ${table} WHERE ${partitionKey} = ? LIMIT ${rows}`,
      parameters: [newest],
      engine: 'duckdb',
      timeoutMs: sampleMsMax,
    };
    try {
      return (await ask(body, caller, limits, { waitMs: sampleMsMax, rows, onTimeout: 'cancel' })).page ?? null;
    } catch (error) {
      // The rest of the answer does not depend on it.
      if (error instanceof QueryError) return null;
      throw error;
    }
  }
}
