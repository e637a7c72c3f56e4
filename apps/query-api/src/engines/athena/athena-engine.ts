import {
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetWorkGroupCommand,
  InvalidRequestException,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  type AthenaClient,
  type GetQueryResultsOutput,
  type QueryExecution,
} from '@aws-sdk/client-athena';
import { throttlingOf } from '@millrace/lake';
import { QueryError, QueryStopped, Throttled } from '../../errors.ts';
import type { CallGuard } from '../../guards.ts';
import { unanswered } from '../../unanswered.ts';
import { statementError } from '../../statement/statement-error.ts';
import type { EngineRequest, EngineResult, QueryEngine, ResultRow } from '../query-engine.ts';
import { cellOf, columnsOf } from './athena-cells.ts';
import { athenaStatement, type AthenaStatement } from './athena-statement.ts';

/** Settings of the Athena engine. */
export interface AthenaSettings {
  readonly workgroup: string;
  readonly database: string;
  /** `s3://bucket/prefix/` under which Athena writes its own result files. */
  readonly outputLocation: string;
  /** KMS key of these files. Default: the bucket's encryption. */
  readonly kmsKey?: string | undefined;
  /** Account that must own the bucket of these files. Default: any. */
  readonly bucketOwner?: string | undefined;
  /** Initial and maximum interval between two polls of a running query, in milliseconds. The interval doubles each time. */
  readonly pollMsMin: number;
  readonly pollMsMax: number;
}

/** Waits; rejects with the signal's reason. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Waits until a query in Athena may be polled again. Rejects with the signal's reason. */
export type LookTurn = (signal: AbortSignal) => Promise<void>;

const pageRowsMax = 1000;
/** Number of polls after a transient failure: Athena may run the query again under the same id. */
const looksAfterFailure = 3;

/** Athena through the AWS SDK. */
export class AthenaEngine implements QueryEngine {
  readonly name = 'athena';
  readonly #client: AthenaClient;
  readonly #settings: AthenaSettings;
  readonly #guard: CallGuard;
  readonly #sleep: Sleep;
  readonly #lookTurn: LookTurn;

  /**
   * @param client a client whose own retries are off
   * @param lookTurn awaited before each poll of a query. Default: polls do not wait for each other
   */
  constructor(client: AthenaClient, settings: AthenaSettings, guard: CallGuard, sleep: Sleep, lookTurn: LookTurn = async () => undefined) {
    this.#client = client;
    this.#settings = settings;
    this.#guard = guard;
    this.#sleep = sleep;
    this.#lookTurn = lookTurn;
  }

  async run(request: EngineRequest): Promise<EngineResult> {
    const { signal } = request;
    const statement = athenaStatement(request.statement, request.parameters);
    const executionId = (await this.#attach(request.executionId, signal)) ?? (await this.#start(request, statement));
    try {
      await request.onStarted(executionId);
      let bytesRead = 0;
      request.onReading?.(() => bytesRead);
      const onLook = ({ Statistics: statistics }: QueryExecution): void => void (bytesRead = statistics?.DataScannedInBytes ?? bytesRead);
      const execution = await this.#untilSucceeded(executionId, statement, onLook, signal);
      const first = await this.#page(executionId, undefined, signal);
      const columns = columnsOf(first.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []);
      const types = columns.map(({ type }) => type);
      const bytesScanned = execution.Statistics?.DataScannedInBytes ?? 0;
      return { columns, rows: this.#rows(executionId, execution, first, types, signal), bytesScanned: () => bytesScanned };
    } catch (error) {
      await this.#stopIfEnded(executionId, signal);
      throw error;
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#guard({ operation: 'check', idempotent: true, signal }, async (sending) => {
      await this.#client.send(new GetWorkGroupCommand({ WorkGroup: this.#settings.workgroup }), { abortSignal: sending });
    });
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  /** The execution of a former worker, if Athena still knows it. */
  async #attach(executionId: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (executionId === undefined) return undefined;
    try {
      await this.#execution(executionId, signal);
      return executionId;
    } catch (error) {
      if (error instanceof QueryError && error.cause instanceof InvalidRequestException) return undefined;
      throw error;
    }
  }

  async #start({ queryId, signal }: EngineRequest, { sql }: AthenaStatement): Promise<string> {
    const { workgroup, database, outputLocation, kmsKey, bucketOwner } = this.#settings;
    const answer = await this.#call(
      'start',
      signal,
      async (sending) =>
        await this.#client.send(
          new StartQueryExecutionCommand({
            QueryString: sql,
            // The same token and body give the same execution: a repeat never pays twice.
            ClientRequestToken: queryId,
            QueryExecutionContext: { Database: database },
            ResultConfiguration: {
              OutputLocation: outputLocation,
              ...(kmsKey === undefined ? {} : { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: kmsKey } }),
              ...(bucketOwner === undefined ? {} : { ExpectedBucketOwner: bucketOwner }),
            },
            WorkGroup: workgroup,
          }),
          { abortSignal: sending },
        ),
    );
    return answer.QueryExecutionId!;
  }

  async #untilSucceeded(
    executionId: string,
    statement: AthenaStatement,
    onLook: (execution: QueryExecution) => void,
    signal: AbortSignal,
  ): Promise<QueryExecution> {
    const { pollMsMin, pollMsMax } = this.#settings;
    let looksLeft = looksAfterFailure;
    for (let waitMs = pollMsMin; ; waitMs = Math.min(waitMs * 2, pollMsMax)) {
      const execution = await this.#execution(executionId, signal);
      onLook(execution);
      // QUEUED may follow RUNNING, and RUNNING may follow a failure that passes by itself.
      switch (execution.Status?.State) {
        case 'SUCCEEDED':
          return execution;
        case 'FAILED':
          if (execution.Status.AthenaError?.Retryable !== true || looksLeft === 0) throw failureOf(execution, statement);
          looksLeft -= 1;
          await this.#sleep(pollMsMax, signal);
          break;
        case 'CANCELLED':
          throw new QueryError('engine-failed', 'The query was cancelled in Athena, not through this API.');
        default:
          await this.#sleep(waitMs, signal);
      }
    }
  }

  async #execution(executionId: string, signal: AbortSignal): Promise<QueryExecution> {
    await this.#lookTurn(signal);
    const { QueryExecution: execution } = await this.#call(
      'look',
      signal,
      async (sending) => await this.#client.send(new GetQueryExecutionCommand({ QueryExecutionId: executionId }), { abortSignal: sending }),
    );
    return execution ?? {};
  }

  async #page(executionId: string, token: string | undefined, signal: AbortSignal): Promise<GetQueryResultsOutput> {
    return await this.#call(
      'results',
      signal,
      async (sending) =>
        await this.#client.send(
          new GetQueryResultsCommand({
            QueryExecutionId: executionId,
            MaxResults: pageRowsMax,
            ...(token === undefined ? {} : { NextToken: token }),
          }),
          {
            abortSignal: sending,
          },
        ),
    );
  }

  async *#rows(
    executionId: string,
    execution: QueryExecution,
    first: GetQueryResultsOutput,
    types: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly ResultRow[]> {
    // The first row of a SELECT's result is the header. A page may be empty.
    let skip = execution.StatementType === 'DML' ? 1 : 0;
    for (let page = first; ;) {
      const rows = page.ResultSet?.Rows ?? [];
      yield rows.slice(skip).map((row) => types.map((type, index) => cellOf(row.Data?.[index]?.VarCharValue, type)));
      if (rows.length > 0) skip = 0;
      if (page.NextToken === undefined || page.NextToken === '') return;
      page = await this.#page(executionId, page.NextToken, signal);
    }
  }

  /** A query that was cancelled or is too late must not cost more money. A handed-over query must continue. */
  async #stopIfEnded(executionId: string, signal: AbortSignal): Promise<void> {
    const { reason } = signal as { reason: unknown };
    if (!signal.aborted || (reason instanceof QueryStopped && reason.code === 'handed-over')) return;
    await this.#guard({ operation: 'stop', idempotent: true }, async (sending) => {
      await this.#client.send(new StopQueryExecutionCommand({ QueryExecutionId: executionId }), { abortSignal: sending });
    }).catch(() => undefined);
  }

  async #call<T>(operation: string, signal: AbortSignal, run: (sending: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      // Start, too: its token makes a repeat the same execution.
      return await this.#guard({ operation, idempotent: true, signal }, async (sending) => await run(sending).catch(asThrottled));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof InvalidRequestException) {
        const malformed = error.AthenaErrorCode === 'MALFORMED_QUERY';
        throw new QueryError(malformed ? 'statement-invalid' : 'engine-failed', `Athena refuses the request: ${error.message}`, {
          cause: error,
        });
      }
      throw unanswered(error, 'Athena does not answer.');
    }
  }
}

/** Throttling as the pipeline knows it. */
function asThrottled(error: unknown): never {
  const { throttled, retryAfterMs } = throttlingOf(error);
  throw throttled ? new Throttled(error, retryAfterMs) : error;
}

function failureOf({ Status: status }: QueryExecution, { place }: AthenaStatement): QueryError {
  const reason = status?.StateChangeReason ?? 'no reason given';
  const { ErrorCategory: category, Retryable: retryable } = status?.AthenaError ?? {};
  if (retryable === true) return new QueryError('unavailable', `Athena could not run the query just now: ${reason}`);
  // 2 is "user": the statement is at fault. https://docs.aws.amazon.com/athena/latest/ug/error-reference.html
  if (category !== 2) return new QueryError('engine-failed', `Athena failed: ${reason}`);
  const [, line, column, what] = /^(?:[A-Z_]+: )?line (\d+):(\d+): (.*)/.exec(reason) ?? [];
  const position = what === undefined ? undefined : place(Number(line), Number(column));
  return statementError('statement-invalid', 'Athena refuses the statement: ', what ?? reason, { position });
}
