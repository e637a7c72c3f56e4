import { sleep } from '@millrace/resilience';
import type {
  EngineList,
  FinishedQuery,
  Query,
  QueryList,
  ReportList,
  ReportQueryRequest,
  ResultLinks,
  ResultPage,
  SqlQueryRequest,
  TableList,
} from '../api-types.ts';
import { attemptMsDefault, Connection, type CallOptions, type ClientOptions } from '../connection.ts';
import { MillraceError } from '../errors.ts';

/** A statement or a report. */
export type QueryRequest = SqlQueryRequest | ReportQueryRequest;

/** A cell of a result. Integers of 64 bits and decimals are strings. */
export type ResultCell = ResultPage['rows'][number][number];

/** Options of {@link QueryClient.submit}. */
export interface SubmitOptions extends CallOptions {
  /** Repeated requests under one key are the same query, 1–255 visible ASCII characters. Default: a new one for each call. */
  readonly idempotencyKey?: string;
}

/** Options of {@link QueryClient.pages} and {@link QueryClient.rows}. */
export interface ResultOptions extends CallOptions {
  /** Maximum number of rows of a page, 1–10,000. Default 1,000. */
  readonly pageRowsMax?: number;
}

/** Formats of a whole result. */
export type ResultFormat = 'ndjson' | 'csv' | 'parquet' | 'arrow';

const mediaTypes: Readonly<Record<ResultFormat, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.stream',
};

/** Options of {@link QueryClient.links}. */
export interface LinkOptions extends CallOptions {
  /** Time for which the links are good, in seconds, 60–3600. Default 900. */
  readonly seconds?: number;
  /** `next` of the answer before. Default: the first parts. */
  readonly cursor?: string;
}

/** Filters of {@link QueryClient.list}. */
export interface ListFilter {
  readonly state?: Query['state'];
  readonly engine?: Query['engine'];
  readonly report?: string;
  /** Part of the statement, in any case. */
  readonly text?: string;
  /** Earliest time of submission, ISO 8601. */
  readonly from?: string;
  /** Latest time of submission, ISO 8601. */
  readonly to?: string;
  /** Maximum number of queries, 1–200. Default 50. */
  readonly limit?: number;
  /** `next` of the page before. Default: the first page. */
  readonly cursor?: string;
}

const finalStates: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled']);
/** Part of an attempt that is left for the answer after a wait of the service, in milliseconds. */
const answerMs = 2000;
const waitSecondsMax = 60;

/** Client of the query API. */
export class QueryClient {
  readonly #connection: Connection;
  readonly #waitSeconds: number;

  constructor(options: ClientOptions) {
    this.#connection = new Connection('query-api', options);
    const waitMs = (options.attemptMs ?? attemptMsDefault) - answerMs;
    this.#waitSeconds = Math.min(waitSecondsMax, Math.max(0, Math.floor(waitMs / 1000)));
  }

  /** Submits a statement or a report and does not wait for its end. @throws MillraceError */
  async submit(request: QueryRequest, { signal, idempotencyKey }: SubmitOptions = {}): Promise<Query> {
    return await this.#post(request, { signal, idempotencyKey, waitSeconds: 0 });
  }

  /** The current state of a query. @throws MillraceError `problem` with status 404 when there is no such query */
  async get(id: string, { signal }: CallOptions = {}): Promise<Query> {
    return await this.#connection.ask({ method: 'GET', path: pathOf(id) }, { signal });
  }

  /** Waits until a query has ended, for as long as that takes. @throws MillraceError */
  async wait(id: string, { signal }: CallOptions = {}): Promise<Query> {
    for (;;) {
      const { body, headers } = await this.#connection.answerTo(
        { method: 'GET', path: `${pathOf(id)}?wait=${this.#waitSeconds}` },
        { signal },
      );
      const query = body as Query;
      if (finalStates.has(query.state)) return query;
      // The service answers at once while too many requests wait.
      await sleep(Number(headers.get('retry-after') ?? 1) * 1000, { clock: this.#connection.clock, signal });
    }
  }

  /**
   * Submits a query and waits for its success. When the signal aborts, the query is cancelled, too.
   *
   * @throws MillraceError `query-failed` when the query failed or was cancelled
   */
  async run(request: QueryRequest, { signal, idempotencyKey }: SubmitOptions = {}): Promise<FinishedQuery> {
    const submitted = await this.#post(request, { signal, idempotencyKey, waitSeconds: this.#waitSeconds });
    const query = finalStates.has(submitted.state) ? submitted : await this.#waitOrCancel(submitted.id, signal);
    if (query.state === 'succeeded') return query;
    const { id, state, error } = query;
    throw new MillraceError('query-failed', `The query ${id} is ${state}${error?.detail === undefined ? '.' : `: ${error.detail}`}`, {
      status: error?.status,
      problem: error,
    });
  }

  /** Cancels a query, in its engine too. A finished query stays unchanged. @returns its state now */
  async cancel(id: string, { signal }: CallOptions = {}): Promise<Query> {
    return await this.#connection.ask({ method: 'DELETE', path: pathOf(id) }, { signal });
  }

  /** The queries of the caller, the newest first. */
  async list(filter: ListFilter = {}, { signal }: CallOptions = {}): Promise<QueryList> {
    return await this.#connection.ask({ method: 'GET', path: `/v1/queries${queryString({ ...filter })}` }, { signal });
  }

  /** The pages of the result of a query that succeeded. Each page is read when it is asked for. @throws MillraceError */
  async *pages(id: string, { signal, pageRowsMax }: ResultOptions = {}): AsyncGenerator<ResultPage, void, undefined> {
    let cursor: string | undefined;
    do {
      const path = `${pathOf(id)}/results${queryString({ limit: pageRowsMax, cursor })}`;
      const page: ResultPage = await this.#connection.ask({ method: 'GET', path }, { signal });
      yield page;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** The rows of the result of a query that succeeded, as objects by column name. @throws MillraceError */
  async *rows(id: string, options: ResultOptions = {}): AsyncGenerator<Readonly<Record<string, ResultCell>>, void, undefined> {
    for await (const { columns, rows } of this.pages(id, options))
      for (const row of rows) yield Object.fromEntries(columns.map(({ name }, index) => [name, row[index]!]));
  }

  /**
   * Streams the whole result of a query that succeeded. The signal ends the body, too; a body that ends with an error is not complete.
   *
   * @throws MillraceError
   */
  async download(id: string, format: ResultFormat, { signal }: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return await this.#connection.open(
      { method: 'GET', path: `${pathOf(id)}/results`, headers: { accept: mediaTypes[format] } },
      { signal },
    );
  }

  /** Links to the parts of a result on S3. Anyone who has a link reads that part until it expires. @throws MillraceError */
  async links(id: string, { signal, seconds, cursor }: LinkOptions = {}): Promise<ResultLinks> {
    return await this.#connection.ask(
      { method: 'GET', path: `${pathOf(id)}/results/links${queryString({ seconds, cursor })}` },
      { signal },
    );
  }

  /** The tables and columns that a statement may read. */
  async tables({ signal }: CallOptions = {}): Promise<TableList> {
    return await this.#connection.ask({ method: 'GET', path: '/v1/tables' }, { signal });
  }

  /** The reports with their parameters. */
  async reports({ signal }: CallOptions = {}): Promise<ReportList> {
    return await this.#connection.ask({ method: 'GET', path: '/v1/reports' }, { signal });
  }

  /** The engines that a query may use. */
  async engines({ signal }: CallOptions = {}): Promise<EngineList> {
    return await this.#connection.ask({ method: 'GET', path: '/v1/engines' }, { signal });
  }

  // The key makes the retries of this request the same query.
  async #post(
    body: QueryRequest,
    {
      signal,
      idempotencyKey = crypto.randomUUID(),
      waitSeconds,
    }: { signal: AbortSignal | undefined; idempotencyKey: string | undefined; waitSeconds: number },
  ): Promise<FinishedQuery> {
    const headers = { 'idempotency-key': idempotencyKey, ...(waitSeconds === 0 ? {} : { prefer: `wait=${waitSeconds}` }) };
    return await this.#connection.ask({ method: 'POST', path: '/v1/queries', headers, body }, { signal });
  }

  async #waitOrCancel(id: string, signal: AbortSignal | undefined): Promise<Query> {
    try {
      return await this.wait(id, { signal });
    } catch (error) {
      // The caller has left, so the result has no reader. A failure to cancel changes nothing for the caller.
      if (signal?.aborted === true) void this.cancel(id).catch(() => undefined);
      throw error;
    }
  }
}

function pathOf(id: string): string {
  return `/v1/queries/${encodeURIComponent(id)}`;
}

function queryString(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) given.append(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
