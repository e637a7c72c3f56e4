import { Type, type Static, type TInteger, type TString } from 'typebox';
import type { Plain } from './plain.ts';
import { problemSchema } from './problem.ts';
import { partitionMax } from './streams/stream.ts';

/** The engines a query can run on. */
export const engineNames = ['duckdb', 'athena', 'trino'] as const;
export type EngineName = (typeof engineNames)[number];

/** Layouts of a table that an engine can read: the landed files, or the Iceberg table over them. */
export const layoutNames = ['base', 'iceberg'] as const;
export type LayoutName = (typeof layoutNames)[number];

/**
 * Reasons for which a query reads the base although the layout `iceberg` was chosen. `missing`: the table has no projection yet. `unreadable`: an
 * object of its snapshot cannot be read. `foreign`: the catalog points to the metadata of another writer. `behind`: too many files have landed
 * since its snapshot. `relocated`: partitions belong to another ledger. `statement`: the statement cannot be written for the Iceberg table.
 */
export const layoutFallbacks = ['missing', 'unreadable', 'foreign', 'behind', 'relocated', 'statement'] as const;
export type LayoutFallback = (typeof layoutFallbacks)[number];

/** States of a query. `succeeded`, `failed` and `cancelled` are final. */
export const queryStates = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export type QueryState = (typeof queryStates)[number];

/**
 * Phases of a query before its end. `waiting`: in the queue of its engine. `following`: an equal query runs, and its result will be this
 * one's, too. `preparing`: a worker chooses the files. `executing`: the engine has the statement. `writing`: the first rows are there, and
 * the result is being kept.
 */
export const queryPhases = ['waiting', 'following', 'preparing', 'executing', 'writing'] as const;
export type QueryPhase = (typeof queryPhases)[number];

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
  /** Events that one query may wait for. */
  waitForMax: 100,
  /** Rows in the sample of a table. */
  sampleRowsMax: 100,
  /** Time for which links to the parts of a result are good, in seconds. */
  linkSecondsMin: 60,
  linkSecondsMax: 3600,
  linkSecondsDefault: 900,
  /** Links in one answer. */
  linksMax: 1000,
} as const;

const scalar = Type.Union([Type.String({ maxLength: queryLimits.parameterCharactersMax }), Type.Number(), Type.Boolean(), Type.Null()]);

const awaitedSchema = Type.Object(
  {
    topic: Type.Optional(Type.String({ minLength: 1, maxLength: 249, description: 'Topic of the event. Default: the only topic' })),
    partition: Type.Integer({ minimum: 0, maximum: partitionMax }),
    offset: Type.Union([Type.String({ pattern: '^[0-9]{1,16}$' }), Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })]),
    eventId: Type.Optional(Type.String({ maxLength: 64 })),
    durability: Type.Optional(Type.Literal('kafka')),
  },
  { additionalProperties: false, title: 'AwaitedEvent', description: 'The receipt of an event, or its place in the topic.' },
);

/** An event that a query waits for. */
export type AwaitedEvent = Static<typeof awaitedSchema>;

const common = {
  engine: Type.Optional(Type.Enum([...engineNames], { description: 'Default: QUERY_DEFAULT_ENGINE' })),
  layout: Type.Optional(
    Type.Enum([...layoutNames], {
      description:
        'Files to read: `base` (the landed files) or `iceberg` (the Iceberg table; on DuckDB also the files that landed since). Default: a setting of the engine',
    }),
  ),
  waitFor: Type.Optional(
    Type.Union([awaitedSchema, Type.Array(awaitedSchema, { minItems: 1, maxItems: queryLimits.waitForMax })], {
      description:
        'Receipts of events. The query starts once its layout holds them. Limit: `Prefer: wait=N`, or `timeoutMs` without it; then the query fails with `not-covered`',
    }),
  ),
  maxBytesScanned: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'The query is refused when its estimate is above this number of bytes',
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({
      minimum: queryLimits.timeoutMsMin,
      maximum: queryLimits.timeoutMsMax,
      description: 'Time the query may run, in milliseconds. Default: QUERY_TIMEOUT_MS',
    }),
  ),
  onWaitTimeout: Type.Optional(
    Type.Enum(['continue', 'cancel'], {
      description: 'Fate of a query that has not ended after `Prefer: wait=N`. Default: continue',
    }),
  ),
  cache: Type.Optional(
    Type.Boolean({ description: '`false`: the result neither comes from the cache nor is kept for later queries. Default: true' }),
  ),
};

/** A statement that the caller wrote. `parameters` are bound to `?` in order. */
export const sqlQueryRequestSchema = Type.Object(
  {
    sql: Type.String({
      minLength: 1,
      maxLength: queryLimits.sqlCharactersMax,
      description: 'One SELECT (or `WITH … SELECT`, `VALUES`, `FROM …`)',
    }),
    parameters: Type.Optional(Type.Array(scalar, { maxItems: queryLimits.parametersMax, description: 'One value for each `?`, in order' })),
    ...common,
  },
  { additionalProperties: false, title: 'SqlQueryRequest', description: 'A statement that the caller wrote.' },
);

/** A report by name, with its typed parameters. */
export const reportQueryRequestSchema = Type.Object(
  {
    report: Type.String({ minLength: 1, maxLength: 128, description: 'Name of a report; `GET /v1/reports` lists them' }),
    parameters: Type.Optional(Type.Record(Type.String(), scalar, { description: 'Values of the parameters of the report, by name' })),
    ...common,
  },
  { additionalProperties: false, title: 'ReportQueryRequest', description: 'A report by name.' },
);

export type SqlQueryRequest = Static<typeof sqlQueryRequestSchema>;
export type ReportQueryRequest = Static<typeof reportQueryRequestSchema>;
export type QueryRequest = SqlQueryRequest | ReportQueryRequest;

const price = {
  billedBytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes as Athena bills them. Absent for other engines' })),
  usd: Type.Optional(Type.Number({ minimum: 0, description: 'Price in US dollars. Absent for engines that bill no bytes' })),
};

/** Schema of {@link QueryEstimate}. */
export const queryEstimateSchema = Type.Object(
  {
    engine: Type.Enum([...engineNames]),
    layout: Type.Optional(Type.Enum([...layoutNames], { description: 'Files that the query would read. Absent without tables' })),
    bytesScanned: Type.Integer({ minimum: 0, description: 'Bytes that the engine would read at most, apart from footers' }),
    isSampled: Type.Boolean({ description: 'Whether the shares of the columns come from a sample of the files' }),
    ...price,
    tables: Type.Array(
      Type.Object({
        table: Type.String(),
        partitions: Type.Integer({ minimum: 0, description: 'Partitions with files that the statement may read' }),
        files: Type.Integer({ minimum: 0 }),
        bytes: Type.Integer({ minimum: 0, description: 'Size of these files' }),
        columns: Type.Array(Type.String(), { description: 'Columns that the statement may read' }),
        bytesScanned: Type.Integer({ minimum: 0 }),
      }),
    ),
  },
  { title: 'QueryEstimate', description: 'Cost of a query that has not run.' },
);

/** Cost of a query that has not run. */
export type QueryEstimate = Plain<typeof queryEstimateSchema>;

/** Schema of {@link QueryStatistics}. */
export const queryStatisticsSchema = Type.Object(
  {
    rows: Type.Integer({ minimum: 0, description: 'Rows of the result' }),
    bytesScanned: Type.Integer({ minimum: 0, description: 'Bytes that the engine read' }),
    queuedMs: Type.Integer({ description: 'Time in the queue, in milliseconds' }),
    executionMs: Type.Integer({ description: 'Time of the execution, in milliseconds' }),
    layout: Type.Optional(Type.Enum([...layoutNames], { description: 'Files that the query read. Absent without tables' })),
    layoutFallback: Type.Optional(
      Type.Enum([...layoutFallbacks], { description: 'Reason for which the query read the base instead of the layout `iceberg`' }),
    ),
    files: Type.Optional(Type.Integer({ minimum: 0, description: 'Files that DuckDB was given. Absent for other engines' })),
    ...price,
  },
  { title: 'QueryStatistics', description: 'Cost of a finished query.' },
);

/** Cost of a finished query. */
export type QueryStatistics = Plain<typeof queryStatisticsSchema>;

const time = (description: string): TString => Type.String({ description: `${description}, ISO 8601 in UTC` });

const viewFields = {
  id: Type.String({ description: 'Identity of the query, a UUID' }),
  state: Type.Enum([...queryStates], { description: '`succeeded`, `failed` and `cancelled` are final' }),
  engine: Type.Enum([...engineNames]),
  sql: Type.Optional(Type.String({ description: 'The statement. Absent for a report' })),
  report: Type.Optional(Type.String({ description: 'Name of the report. Absent for a statement' })),
  submittedAt: time('Time of the request'),
  startedAt: Type.Optional(time('Time of the first start')),
  finishedAt: Type.Optional(time('Time of the end')),
  progress: Type.Optional(
    Type.Object(
      {
        phase: Type.Enum([...queryPhases], {
          description:
            '`waiting` in the queue, `following` an equal query that runs, `preparing` the files, `executing` in the engine, or `writing` the result',
        }),
        queuePosition: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'Place among the queries that wait for the engine: 1 is the next. Absent while the query is set aside for another',
          }),
        ),
        bytesScanned: Type.Optional(
          Type.Integer({ minimum: 0, description: 'Bytes that the engine has read so far. Absent when the engine does not report them' }),
        ),
      },
      { description: 'Progress of a query that has not ended. Absent after its end' },
    ),
  ),
  statistics: Type.Optional(queryStatisticsSchema),
  error: Type.Optional(problemSchema),
  stale: Type.Optional(
    Type.Object(
      { asOf: time('Time at which the result was good'), ageSeconds: Type.Integer({ description: 'Age of the result in seconds' }) },
      { description: 'Present when the engine or its data could not be reached: the result is the last good one of the report' },
    ),
  ),
  cancelMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Time from the request to cancel to the end, in milliseconds' })),
  asOf: Type.Optional(
    Type.Array(
      Type.Object({
        table: Type.String(),
        topic: Type.String({ description: 'Topic of the table' }),
        offsets: Type.Array(Type.Integer({ minimum: 0 }), {
          description: 'For each partition of the topic, the offset before which the files that were read hold every event',
        }),
      }),
      { description: 'State of the tables for which the result is exact. Absent when a table changed during the run, or has no ledger' },
    ),
  ),
  cached: Type.Optional(
    Type.Object(
      {
        at: time('Time at which the result was computed'),
        ageSeconds: Type.Integer({ minimum: 0, description: 'Age of the result in seconds' }),
      },
      { description: 'Present when the result was computed for an earlier query. It is exact for `asOf`' },
    ),
  ),
  links: Type.Object({ self: Type.String(), results: Type.String() }, { description: 'Paths of the query and of its results' }),
};

/** Schema of {@link QueryView}. */
export const queryViewSchema = Type.Object(viewFields, { title: 'Query', description: 'A query and its state.' });

/** A query as the API shows it. */
export type QueryView = Plain<typeof queryViewSchema>;

/** Schema of {@link ResultCell}. */
export const resultCellSchema = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);

const listedQuerySchema = Type.Object(
  {
    ...viewFields,
    principal: Type.Optional(
      Type.Object(
        { kind: Type.String(), issuer: Type.String(), subject: Type.String() },
        { description: 'Owner of the query. Only for `admin`' },
      ),
    ),
  },
  { title: 'ListedQuery', description: 'A query of a list.' },
);

/** Schema of {@link QueryList}. */
export const queryListSchema = Type.Object(
  {
    queries: Type.Array(listedQuerySchema, { description: 'Queries, the newest first' }),
    next: Type.Optional(Type.String({ description: 'Opaque. Send it as `cursor` for the next page. Absent on the last page' })),
  },
  { title: 'QueryList', description: 'One page of the queries that the caller may see.' },
);

/** Answer to `GET /v1/queries`: queries from the newest on. */
export type QueryList = Plain<typeof queryListSchema>;

/** A cell of a result: int64 and decimals are strings, so that no client rounds them. */
export type ResultCell = Plain<typeof resultCellSchema>;

/** Schema of {@link ResultPage}. */
export const resultPageSchema = Type.Object(
  {
    columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String({ description: "Trino's name of the type" }) })),
    rows: Type.Array(Type.Array(resultCellSchema), { description: 'Rows of cells, in the order of `columns`' }),
    next: Type.Optional(Type.String({ description: 'Opaque. Send it as `cursor` for the next page. Absent on the last page' })),
  },
  { title: 'ResultPage', description: 'One page of a result. Values of 64 bits and decimals are strings, so that no client rounds them.' },
);

/** Schema of {@link ResultLinks}. */
export const resultLinksSchema = Type.Object(
  {
    columns: resultPageSchema.properties.columns,
    rows: Type.Integer({ minimum: 0, description: 'Rows of the whole result' }),
    bytes: Type.Integer({ minimum: 0, description: 'Size of the whole result' }),
    expiresAt: time('Time at which the links expire'),
    parts: Type.Array(
      Type.Object({
        rows: Type.Integer({ minimum: 1 }),
        bytes: Type.Integer({ minimum: 1 }),
        url: Type.String({
          description:
            'Address of the part, without credentials: NDJSON, one JSON array of cells a line. Up to 64 KiB it holds the part itself (`data:`)',
        }),
      }),
      { description: 'Parts of the result, in its order' },
    ),
    next: Type.Optional(Type.String({ description: 'Opaque. Send it as `cursor` for the next parts. Absent after the last part' })),
  },
  { title: 'ResultLinks', description: 'Links to the parts of a result, for readers that fetch it from S3 themselves.' },
);

/** Links to the parts of a result. */
export type ResultLinks = Plain<typeof resultLinksSchema>;

/** One page of results as JSON. */
export type ResultPage = Plain<typeof resultPageSchema>;

/** Schema of {@link InlineQueryView}. */
export const inlineQueryViewSchema = Type.Object(
  { ...viewFields, results: Type.Optional(resultPageSchema) },
  {
    title: 'FinishedQuery',
    description: 'A query that ended while the request waited, with the first page of its result if it succeeded.',
  },
);

/** Answer to a query that finished within the caller's `Prefer: wait=N`: the query, and its first page when it succeeded. */
export type InlineQueryView = Plain<typeof inlineQueryViewSchema>;

/** Schema of the answer of `GET /v1/tables`. */
export const tableListSchema = Type.Object(
  {
    tables: Type.Array(
      Type.Object({
        name: Type.String(),
        database: Type.String(),
        columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String(), description: Type.String() })),
      }),
    ),
  },
  { title: 'TableList', description: 'Tables and columns that a statement may read.' },
);

const count = (description: string): TInteger => Type.Integer({ minimum: 0, description });

/** Schema of {@link TableDetail}. */
export const tableDetailSchema = Type.Object(
  {
    name: Type.String(),
    database: Type.String({ description: 'Database in the catalog' }),
    topic: Type.String({ description: 'Topic of the table' }),
    partitionKey: Type.String(),
    columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String(), description: Type.String() })),
    at: time('Time at which the table was read'),
    rows: count('Rows by the ledger'),
    files: count('Parquet files by the ledger'),
    bytes: count('Size of the files'),
    partitionCount: count('Partitions with files, or in the catalog'),
    registeredCount: count('Partitions in the catalog'),
    partitions: Type.Array(
      Type.Object({
        value: Type.String({ description: 'Value of the partition key' }),
        isRegistered: Type.Boolean({ description: 'Whether the catalog knows the partition. Engines read only those' }),
        rows: count('Rows by the ledger'),
        files: count('Files by the ledger'),
        bytes: count('Size of the files'),
        oldestEventAt: Type.Optional(time('Time of the oldest event')),
        newestEventAt: Type.Optional(time('Time of the newest event')),
      }),
      { description: 'The newest 1,000 partitions, newest first' },
    ),
    lanes: Type.Array(
      Type.Object({
        partition: count('Partition of the topic'),
        offset: count('Offset before which every event is recorded in the ledger'),
        rows: count('Rows of this partition'),
        newestEventAt: Type.Optional(time('Time of the newest event')),
        recordedAt: Type.Optional(time('Time at which the newest batch was recorded')),
      }),
      { description: 'Freshness for each partition of the topic' },
    ),
    projection: Type.Union(
      [
        Type.Object({
          table: Type.String({ description: 'Name of the Iceberg table in the catalog' }),
          commit: count('Number of its newest commit'),
          committedAt: time('Time of the commit'),
          files: count('Data files'),
          rows: count('Rows'),
          bytes: count('Size of the data files'),
          offsets: Type.Array(Type.Integer({ minimum: 0 }), {
            description: 'For each partition of the topic, the offset before which every event is in the table',
          }),
          behindOffsets: count('Offsets that are in the ledger and not yet in this table'),
        }),
        Type.Null(),
      ],
      { description: 'The Iceberg table over the same files. Null when it does not exist or cannot be read' },
    ),
    sample: Type.Union([resultPageSchema, Type.Null()], {
      description: 'Rows of the newest partition. Null when none were asked for, or they could not be read in time',
    }),
  },
  { title: 'TableDetail', description: 'A table with its partitions, its freshness and some of its rows.' },
);

/** Answer to `GET /v1/tables/{name}`. */
export type TableDetail = Plain<typeof tableDetailSchema>;

const reportParameterSchema = Type.Object(
  {
    name: Type.String(),
    type: Type.Enum(['date', 'text', 'integer']),
    description: Type.String(),
    default: Type.Optional(Type.Union([Type.String(), Type.Integer()], { description: 'Absent: the caller must give a value' })),
    charactersMax: Type.Optional(Type.Integer({ description: 'Maximum length of a text' })),
    minimum: Type.Optional(Type.Integer()),
    maximum: Type.Optional(Type.Integer()),
  },
  { title: 'ReportParameter' },
);

const reportFields = {
  name: Type.String(),
  description: Type.String(),
  parameters: Type.Array(reportParameterSchema),
  sql: Type.String({ description: 'Statement of the report, with `?` for each value' }),
  binds: Type.Array(Type.String(), { description: 'Names of the parameters in the order of `?`' }),
  usage: Type.Union(
    [Type.Object({ requests: Type.Integer({ minimum: 0 }), lastRequestedAt: time('Time of the last request') }), Type.Null()],
    {
      description: 'Requests of the report. Null before the first request, or when the counts cannot be read',
    },
  ),
};

/** Schema of the answer of `GET /v1/reports/{name}`. */
export const reportSchema = Type.Object(reportFields, { title: 'Report', description: 'A report with its parameters, SQL and use.' });

/** Schema of the answer of `GET /v1/reports`. */
export const reportListSchema = Type.Object(
  { reports: Type.Array(Type.Object(reportFields)) },
  { title: 'ReportList', description: 'Reports with their parameters, SQL and use.' },
);

/** Schema of {@link CallerView}. */
export const callerSchema = Type.Object(
  {
    kind: Type.Enum(['jwt', 'api-key', 'anonymous'], { description: 'Kind of credential. `anonymous`: authentication is off' }),
    issuer: Type.String({ description: 'Issuer of the token. Empty for other kinds' }),
    subject: Type.String({ description: 'Subject of the token or name of the API key. Empty for anonymous callers' }),
    scopes: Type.Array(Type.String(), { description: 'Scopes of the credential' }),
    chaosUrl: Type.Optional(
      Type.String({ description: 'Origin of the endpoint of attacks. Only for `admin`, and only in the chaos profile' }),
    ),
  },
  { title: 'Caller', description: 'The caller as its credential describes it.' },
);

/** Answer to `GET /v1/caller`. */
export type CallerView = Plain<typeof callerSchema>;

/** Schema of {@link SignInView}. */
export const signInSchema = Type.Object(
  {
    oidc: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({ description: 'Issuer of the tokens. Its endpoints are those of its OpenID Connect discovery' }),
          clientId: Type.String({ description: 'Client of the console at the issuer' }),
          scope: Type.String({ description: 'Scopes that the console asks for, separated by spaces' }),
          audience: Type.String({ description: 'Audience that a token must have' }),
        },
        { description: 'The authorization code flow of OpenID Connect. Absent where it is not configured' },
      ),
    ),
  },
  { title: 'SignIn', description: 'Sign-in methods of the console, besides a key or a token.' },
);

/** Answer to `GET /v1/sign-in`. */
export type SignInView = Plain<typeof signInSchema>;

/** Answer to `GET /v1/tables`. */
export type TableList = Plain<typeof tableListSchema>;

/** Answer to `GET /v1/reports`. */
export type ReportList = Plain<typeof reportListSchema>;

/** Schema of the answer of `GET /v1/engines`. */
export const engineListSchema = Type.Object(
  {
    engines: Type.Array(
      Type.Object({
        name: Type.Enum([...engineNames]),
        default: Type.Boolean({ description: 'Whether a query without `engine` uses it' }),
      }),
    ),
  },
  { title: 'EngineList', description: 'Engines that a query may use.' },
);

/** Answer to `GET /v1/engines`. */
export type EngineList = Plain<typeof engineListSchema>;
