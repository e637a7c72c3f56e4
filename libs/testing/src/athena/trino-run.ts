import { setTimeout as delay } from 'node:timers/promises';
import type { TrinoType, TrinoValue } from './athena-values.ts';

/** Trino, and the schema of a statement. */
export interface TrinoSession {
  readonly url: string;
  readonly catalog: string;
  readonly schema: string;
  /** Bytes that the statement may read. Default: no limit. */
  readonly bytesScannedMax?: number | undefined;
}

/** Why Trino did not run a statement to its end. */
export interface TrinoFailure {
  readonly message: string;
  readonly errorName: string;
  readonly errorType: string;
}

interface TrinoAnswer {
  readonly nextUri?: string;
  readonly columns?: readonly { readonly name: string; readonly typeSignature: TrinoType }[];
  readonly data?: readonly (readonly TrinoValue[])[];
  readonly stats: { readonly state: string; readonly physicalInputBytes?: number };
  readonly error?: TrinoFailure;
}

/** Maximum number of rows that one statement may return, because they are kept in memory. */
const rowsMax = 200_000;
/** Waits before each further attempt at a call that Trino did not answer, in milliseconds. */
const waitsMs = [100, 500, 2000];

/** One statement on Trino, from its submission to its last row. */
export class TrinoRun {
  columns: NonNullable<TrinoAnswer['columns']> = [];
  readonly rows: (readonly TrinoValue[])[] = [];
  bytesScanned = 0;
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' = 'queued';
  failure: TrinoFailure | undefined;
  /** Resolves when the statement has ended. */
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();

  constructor(sql: string, session: TrinoSession) {
    this.ended = this.#run(sql, session);
  }

  /** Ends the statement, and resolves once it has ended. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  async #run(sql: string, { url, catalog, schema, bytesScannedMax }: TrinoSession): Promise<void> {
    const limit = bytesScannedMax === undefined ? {} : { 'x-trino-session': `query_max_scan_physical_bytes=${bytesScannedMax}B` };
    const headers = {
      'x-trino-user': 'athena',
      'x-trino-source': 'local-athena',
      'x-trino-catalog': catalog,
      'x-trino-schema': schema,
      'x-trino-time-zone': 'UTC',
      ...limit,
    };
    let next: string | undefined;
    try {
      let answer = await call(new URL('/v1/statement', url).href, { method: 'POST', headers, body: sql });
      for (;;) {
        this.#take(answer);
        next = answer.nextUri;
        if (next === undefined) break;
        if (this.#stop.signal.aborted || this.rows.length > rowsMax) {
          await fetch(next, { method: 'DELETE', headers }).catch(() => undefined);
          break;
        }
        answer = await call(next, { headers });
      }
      if (this.failure !== undefined) this.state = this.#stop.signal.aborted ? 'cancelled' : 'failed';
      else if (next === undefined) this.state = 'succeeded';
      else if (this.#stop.signal.aborted) this.state = 'cancelled';
      else this.#fail('EXCEEDED_ROWS', `The local Athena keeps at most ${rowsMax} rows of a result.`);
    } catch (error) {
      this.#fail('TRINO_UNREACHABLE', error instanceof Error ? error.message : String(error));
    }
  }

  #take({ columns, data, stats, error }: TrinoAnswer): void {
    if (columns !== undefined) this.columns = columns;
    if (data !== undefined) for (const row of data) this.rows.push(row);
    this.bytesScanned = stats.physicalInputBytes ?? this.bytesScanned;
    if (!['QUEUED', 'WAITING_FOR_RESOURCES'].includes(stats.state)) this.state = 'running';
    this.failure = error;
  }

  #fail(errorName: string, message: string): void {
    this.failure = { errorName, errorType: 'INTERNAL_ERROR', message };
    this.state = 'failed';
  }
}

/** One call to Trino, repeated a few times: its protocol allows that for each address. */
async function call(url: string, init: RequestInit): Promise<TrinoAnswer> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
      const text = await response.text();
      if (!response.ok) throw new Error(`Trino answers ${response.status}: ${text.slice(0, 200)}`);
      return JSON.parse(quoteLongIntegers(text)) as TrinoAnswer;
    } catch (error) {
      // A statement that was submitted without an answer must not run a second time.
      const waitMs = init.method === 'POST' ? undefined : waitsMs[attempt];
      if (waitMs === undefined) throw error;
      await delay(waitMs);
    }
  }
}

/** Quotes integers of 16 digits and more, which a JavaScript number cannot hold. */
export function quoteLongIntegers(json: string): string {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token));
}
