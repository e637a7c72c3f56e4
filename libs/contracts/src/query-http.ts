import { Type, type Static } from 'typebox';
import type { Problem } from './problem.ts';

/** The engines a query can run on. */
export const engineNames = ['duckdb', 'athena', 'trino'] as const;
export type EngineName = (typeof engineNames)[number];

/** States of a query. `succeeded`, `failed` and `cancelled` are final. */
export const queryStates = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export type QueryState = (typeof queryStates)[number];

/** Limits of the query API. */
export const queryLimits = {
  /** Longest statement in characters. */
  sqlCharactersMax: 65_536,
  parametersMax: 100,
  /** Longest text of one parameter in characters. */
  parameterCharactersMax: 65_536,
  bodyBytesMax: 256 * 1024,
  timeoutMsMin: 100,
  timeoutMsMax: 3_600_000,
  /** Longest `wait`, in seconds. */
  waitSecondsMax: 60,
  /** Rows in one page of results. */
  pageRowsMax: 10_000,
} as const;

const scalar = Type.Union([Type.String({ maxLength: queryLimits.parameterCharactersMax }), Type.Number(), Type.Boolean(), Type.Null()]);
const common = {
  engine: Type.Optional(Type.Enum([...engineNames])),
  maxBytesScanned: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  timeoutMs: Type.Optional(Type.Integer({ minimum: queryLimits.timeoutMsMin, maximum: queryLimits.timeoutMsMax })),
  cache: Type.Optional(Type.Boolean()),
};

/** A statement of the caller's own. `parameters` are bound to `?` in order. */
export const sqlQueryRequestSchema = Type.Object(
  {
    sql: Type.String({ minLength: 1, maxLength: queryLimits.sqlCharactersMax }),
    parameters: Type.Optional(Type.Array(scalar, { maxItems: queryLimits.parametersMax })),
    ...common,
  },
  { additionalProperties: false, title: 'SqlQueryRequest' },
);

/** A report by name, with its typed parameters. */
export const reportQueryRequestSchema = Type.Object(
  {
    report: Type.String({ minLength: 1, maxLength: 128 }),
    parameters: Type.Optional(Type.Record(Type.String(), scalar)),
    ...common,
  },
  { additionalProperties: false, title: 'ReportQueryRequest' },
);

export type SqlQueryRequest = Static<typeof sqlQueryRequestSchema>;
export type ReportQueryRequest = Static<typeof reportQueryRequestSchema>;
export type QueryRequest = SqlQueryRequest | ReportQueryRequest;

/** What a finished query cost. */
export interface QueryStatistics {
  readonly rows: number;
  readonly bytesScanned: number;
  readonly queuedMs: number;
  readonly executionMs: number;
}

/** A query as the API shows it. Times are ISO 8601 in UTC. */
export interface QueryView {
  readonly id: string;
  readonly state: QueryState;
  readonly engine: EngineName;
  readonly sql?: string;
  readonly report?: string;
  readonly submittedAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly statistics?: QueryStatistics;
  readonly error?: Problem;
  /** There when the result is the last good one of its report, given because its engine or its data could not be reached. */
  readonly stale?: { readonly asOf: string; readonly ageSeconds: number };
  readonly links: { readonly self: string; readonly results: string };
}

/** Answer to `GET /v1/queries`: queries from the newest on. */
export interface QueryList {
  readonly queries: readonly (QueryView & {
    /** Who submitted it; shown to `admin`. */
    readonly principal?: { readonly kind: string; readonly issuer: string; readonly subject: string };
  })[];
  /** Opaque; absent on the last page. */
  readonly next?: string;
}

/** A cell of a result: int64 and decimals are strings, so that no client rounds them. */
export type ResultCell = string | number | boolean | null;

/** One page of results as JSON. */
export interface ResultPage {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly ResultCell[])[];
  /** Opaque; absent on the last page. */
  readonly next?: string;
}

/** Answer to a query that finished within the caller's `Prefer: wait=N`: the query, and its first page when it succeeded. */
export interface InlineQueryView extends QueryView {
  readonly results?: ResultPage;
}
