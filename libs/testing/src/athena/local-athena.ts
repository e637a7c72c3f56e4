import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AthenaFaults, type AthenaFaultKind, type AthenaFaultOptions, type InjectedAthenaFault } from './athena-faults.ts';
import { athenaColumn, athenaText } from './athena-values.ts';
import { TrinoRun } from './trino-run.ts';

/** Settings of a {@link LocalAthena}. */
export interface LocalAthenaOptions {
  /** Trino, which runs the statements. */
  readonly trinoUrl: string;
  /** Catalog of Trino with the tables of Glue. Default: `hive`. */
  readonly catalog?: string;
  /** Port on loopback. Default: a free one. */
  readonly port?: number;
  /** Bytes that a query may read, as a workgroup of Athena limits them. Default: no limit. */
  readonly bytesScannedCutoff?: number;
  /** Called before a call is carried out, and after it before its answer. A test can stop the caller there. */
  readonly onCall?: (operation: string, moment: 'before' | 'after') => void;
}

/** A query that was started, for the claims of tests. */
export interface AthenaExecution {
  readonly id: string;
  readonly token: string | undefined;
  readonly sql: string;
  readonly state: TrinoRun['state'];
}

interface Execution extends Omit<AthenaExecution, 'state'> {
  readonly database: string;
  readonly submittedAt: number;
  readonly run: TrinoRun;
}

interface Body {
  readonly QueryString?: string;
  readonly ClientRequestToken?: string;
  readonly QueryExecutionContext?: { readonly Database?: string };
  readonly QueryExecutionId?: string;
  readonly ExecutionParameters?: readonly string[];
  readonly WorkGroup?: string;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** An answer of Athena: HTTP status and body. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const bodyBytesMax = 1024 * 1024;
const executionsMax = 2000;

/**
 * Athena's JSON protocol over a Trino, for tests and development: Trino's dialect, tokens, states, results in pages, cancellation and scanned
 * bytes. The emulator of AWS has none of these. It listens on loopback and checks no signatures.
 */
export class LocalAthena {
  readonly faults = new AthenaFaults();
  readonly #options: LocalAthenaOptions;
  readonly #server: Server;
  readonly #executions = new Map<string, Execution>();
  readonly #byToken = new Map<string, { readonly id: string; readonly request: string }>();

  private constructor(options: LocalAthenaOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(options: LocalAthenaOptions): Promise<LocalAthena> {
    const athena = new LocalAthena(options);
    athena.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(athena.#server, 'listening');
    return athena;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The queries that were started, in order. A repeated start with the same token is the same query. */
  get executions(): readonly AthenaExecution[] {
    return [...this.#executions.values()].map(({ id, token, sql, run: { state } }) => ({ id, token, sql, state }));
  }

  /** How many queries were started with a token. */
  executionsOf(token: string): number {
    return this.executions.filter((one) => one.token === token).length;
  }

  /** Injects a fault. */
  inject(kind: AthenaFaultKind, options: AthenaFaultOptions = {}): InjectedAthenaFault {
    return this.faults.inject(kind, options);
  }

  /** Cancels the running queries and closes the listener. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await Promise.all([...this.#executions.values()].map(async ({ run }) => await run.cancel()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A probe of its health.
    if (request.method === 'GET') {
      response.end();
      return;
    }
    const operation = String(request.headers['x-amz-target'] ?? '').replace(/^AmazonAthena\./, '');
    let answer: Answer;
    try {
      const body = JSON.parse(await textOf(request)) as Body;
      this.#options.onCall?.(operation, 'before');
      answer = this.faults.strikes('throttle', operation)
        ? failure('ThrottlingException', 'Rate exceeded')
        : await this.#answer(operation, body);
    } catch (error) {
      answer = failure('InvalidRequestException', error instanceof Error ? error.message : String(error));
    }
    this.#options.onCall?.(operation, 'after');
    if (this.faults.strikes('lose-answer', operation)) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
    response.end(JSON.stringify(answer.body));
  }

  async #answer(operation: string, body: Body): Promise<Answer> {
    switch (operation) {
      case 'StartQueryExecution':
        return this.#start(body);
      case 'GetQueryExecution':
        return this.#withExecution(body, (execution) => this.#describe(execution));
      case 'GetQueryResults':
        return this.#withExecution(body, (execution) => this.#results(execution, body));
      case 'StopQueryExecution':
        return await this.#withExecution(body, async ({ run }) => {
          await run.cancel();
          return { status: 200, body: {} };
        });
      case 'GetWorkGroup':
        return { status: 200, body: { WorkGroup: { Name: body.WorkGroup ?? 'primary', State: 'ENABLED' } } };
      default:
        return failure('InvalidRequestException', `The local Athena does not know the operation "${operation}".`);
    }
  }

  #start(body: Body): Answer {
    const { QueryString: sql = '', ClientRequestToken: token, QueryExecutionContext: context, ExecutionParameters: parameters } = body;
    if (sql === '' || sql.length > 262_144) return failure('InvalidRequestException', 'QueryString must have 1 to 262144 characters');
    if (token !== undefined && (token.length < 32 || token.length > 128))
      return failure('InvalidRequestException', 'ClientRequestToken must have 32 to 128 characters');
    const request = JSON.stringify(body);
    const earlier = token === undefined ? undefined : this.#byToken.get(token);
    if (earlier !== undefined) {
      if (earlier.request !== request) return failure('InvalidRequestException', 'Idempotent parameters do not match');
      return { status: 200, body: { QueryExecutionId: earlier.id } };
    }
    const id = randomUUID();
    const database = context?.Database ?? 'default';
    const bound = parameters === undefined ? sql : `EXECUTE IMMEDIATE '${sql.replaceAll("'", "''")}' USING ${parameters.join(', ')}`;
    const { trinoUrl: url, catalog = 'hive', bytesScannedCutoff: bytesScannedMax } = this.#options;
    const run = new TrinoRun(bound, { url, catalog, schema: database, bytesScannedMax });
    this.#executions.set(id, { id, token, sql, database, submittedAt: Date.now(), run });
    if (token !== undefined) this.#byToken.set(token, { id, request });
    if (this.#executions.size > executionsMax) this.#forgetOldest();
    return { status: 200, body: { QueryExecutionId: id } };
  }

  #forgetOldest(): void {
    const [oldest] = this.#executions.values();
    if (oldest === undefined) return;
    this.#executions.delete(oldest.id);
    if (oldest.token !== undefined) this.#byToken.delete(oldest.token);
  }

  #withExecution<T extends Answer | Promise<Answer>>({ QueryExecutionId: id = '' }: Body, use: (execution: Execution) => T): T | Answer {
    const execution = this.#executions.get(id);
    return execution === undefined ? failure('InvalidRequestException', `QueryExecution ${id} was not found`) : use(execution);
  }

  #describe({ id, sql, database, submittedAt, run }: Execution): Answer {
    const describe = (Status: object): Answer => ({
      status: 200,
      body: {
        QueryExecution: {
          QueryExecutionId: id,
          Query: sql,
          StatementType: 'DML',
          QueryExecutionContext: { Database: database },
          Status: { SubmissionDateTime: submittedAt / 1000, ...Status },
          Statistics: { DataScannedInBytes: run.bytesScanned },
          WorkGroup: 'primary',
        },
      },
    });
    if (this.faults.strikes('requeue', 'GetQueryExecution')) return describe({ State: 'QUEUED' });
    if (this.faults.strikes('slow-down', 'GetQueryExecution')) return describe(slowDown);
    if (run.state !== 'failed') {
      const reason = run.state === 'cancelled' ? { StateChangeReason: 'Query cancelled by user' } : {};
      return describe({ State: run.state.toUpperCase(), ...reason });
    }
    const { errorName, errorType, message } = run.failure!;
    const text = `${errorName}: ${message}`;
    // 1 is system, 2 is user, 3 is other.
    const category = errorType === 'USER_ERROR' ? 2 : 1;
    return describe({
      State: 'FAILED',
      StateChangeReason: text,
      AthenaError: { ErrorCategory: category, ErrorType: 1000, Retryable: false, ErrorMessage: text },
    });
  }

  #results({ run }: Execution, { MaxResults: rowsMax = 1000, NextToken: token }: Body): Answer {
    if (run.state !== 'succeeded')
      return failure('InvalidRequestException', `Query has not yet finished. Current state: ${run.state.toUpperCase()}`);
    const from = token === undefined ? 0 : Number(token);
    const short = this.faults.strikes('short-pages', 'GetQueryResults');
    const to = Math.min(from + (short ? shortRows(token) : Math.min(rowsMax, 1000)), run.rows.length + 1);
    // The header is the first row of the result.
    const rows = Array.from({ length: to - from }, (_, index) => {
      const row = run.rows[from + index - 1];
      return {
        Data: run.columns.map(({ name, typeSignature }, column) => {
          const text = row === undefined ? name : athenaText(row[column]!, typeSignature);
          return text === undefined ? {} : { VarCharValue: text };
        }),
      };
    });
    const ColumnInfo = run.columns.map(({ name, typeSignature }) => athenaColumn(name, typeSignature));
    return {
      status: 200,
      body: {
        ResultSet: { Rows: rows, ResultSetMetadata: { ColumnInfo } },
        ...(to <= run.rows.length ? { NextToken: String(to) } : {}),
      },
    };
  }
}

/** A failure of Athena that passes by itself. */
const slowDownText = 'Amazon S3: Please reduce your request rate. (Service: Amazon S3; Status Code: 503; Error Code: SlowDown)';
const slowDown = {
  State: 'FAILED',
  StateChangeReason: slowDownText,
  AthenaError: { ErrorCategory: 1, ErrorType: 233, Retryable: true, ErrorMessage: slowDownText },
};

/** Rows of a short page: none on the first one. */
function shortRows(token: string | undefined): number {
  return token === undefined ? 0 : 7;
}

function failure(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, Message: message, message } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) throw new Error(`The body has more than ${bodyBytesMax} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
