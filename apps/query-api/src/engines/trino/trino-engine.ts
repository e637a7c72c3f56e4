import { QueryError, QueryStopped } from '../../errors.ts';
import type { CallGuard } from '../../guards.ts';
import { unanswered } from '../../unanswered.ts';
import type { EngineRequest, EngineResult, QueryEngine, ResultRow } from '../query-engine.ts';
import type { TrinoAnswer, TrinoColumn } from './trino-answer.ts';
import { cellReader, columnsOf } from './trino-cells.ts';
import { placeOf, TrinoClient, type TrinoPlace } from './trino-client.ts';
import { errorOfFailure, tooManyBytes } from './trino-errors.ts';
import { trinoStatement, type TrinoStatement } from './trino-statement.ts';

/** A statement that runs in Trino. */
interface Running {
  readonly statement: TrinoStatement;
  readonly bytesScannedMax: number | undefined;
  readonly signal: AbortSignal;
  /** Where the next answer is; undefined once Trino has given the last. */
  next: string | undefined;
  bytesScanned: number;
}

/** Trino by its statement protocol. The id of an execution is the place of its next answer, which a successor can still ask for. */
export class TrinoEngine implements QueryEngine {
  readonly name = 'trino';
  readonly #client: TrinoClient;

  constructor(place: TrinoPlace, guard: CallGuard, fetchFrom?: typeof fetch) {
    this.#client = new TrinoClient(place, guard, fetchFrom);
  }

  async run(request: EngineRequest): Promise<EngineResult> {
    const { signal, bytesScannedMax } = request;
    const statement = trinoStatement(request.statement, request.parameters);
    const running: Running = { statement, bytesScannedMax, signal, next: undefined, bytesScanned: 0 };
    request.onReading?.(() => running.bytesScanned);
    try {
      let answer = (await this.#attach(request, running)) ?? (await this.#start(request, running));
      // Until the first rows, a successor may ask for the same answer again.
      while (running.next !== undefined && (answer.data ?? []).length === 0) {
        await request.onStarted(running.next);
        answer = await this.#follow(running);
      }
      const columns = answer.columns ?? [];
      return { columns: columnsOf(columns), rows: this.#rows(running, answer, columns), bytesScanned: () => running.bytesScanned };
    } catch (error) {
      if (!isHandedOver(signal)) await this.#cancel(running);
      throw error;
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    const running: Running = {
      statement: trinoStatement({ text: 'SELECT 1', placeholders: [] }, []),
      bytesScannedMax: undefined,
      signal,
      next: undefined,
      bytesScanned: 0,
    };
    try {
      const submission = { sql: running.statement.sql, queryId: 'check', user: anonymousUser, bytesScannedMax: undefined };
      this.#take(running, await this.#call(signal, async () => await this.#client.submit(submission, signal)));
      while (running.next !== undefined) await this.#follow(running);
    } finally {
      await this.#cancel(running);
    }
  }

  async close(): Promise<void> {
    // Connections are those of the process.
  }

  /** The next answer of an execution that a former worker started, if Trino still has it. */
  async #attach({ executionId }: EngineRequest, running: Running): Promise<TrinoAnswer | undefined> {
    if (executionId === undefined) return undefined;
    const { signal } = running;
    const answer = await this.#call(signal, async () => await this.#client.follow(executionId, signal));
    if (answer !== undefined && answer.error?.errorName !== 'ABANDONED_QUERY') return this.#take(running, answer);
    // The former worker has read rows, which Trino gives once. The remaining rows are useless.
    await this.#client.cancel(executionId).catch(() => undefined);
    return undefined;
  }

  async #start({ queryId, user = anonymousUser, bytesScannedMax }: EngineRequest, running: Running): Promise<TrinoAnswer> {
    const { signal, statement } = running;
    const submission = { sql: statement.sql, queryId, user, bytesScannedMax };
    return this.#take(running, await this.#call(signal, async () => await this.#client.submit(submission, signal)));
  }

  async #follow(running: Running): Promise<TrinoAnswer> {
    const { signal, next } = running;
    const answer = await this.#call(signal, async () => await this.#client.follow(next!, signal));
    if (answer === undefined) {
      running.next = undefined;
      throw new QueryError('unavailable', 'Trino no longer has the query: it was restarted, or gave the query up.');
    }
    return this.#take(running, answer);
  }

  #take(running: Running, answer: TrinoAnswer): TrinoAnswer {
    running.next = placeOf(answer);
    running.bytesScanned = answer.stats.physicalInputBytes ?? running.bytesScanned;
    if (answer.error !== undefined) throw errorOfFailure(answer.error, running.statement, running.bytesScannedMax);
    // Trino checks the limit once a second, and a short statement ends before that.
    if (running.bytesScanned > (running.bytesScannedMax ?? Number.POSITIVE_INFINITY)) throw tooManyBytes(running.bytesScannedMax);
    return answer;
  }

  async *#rows(running: Running, first: TrinoAnswer, columns: readonly TrinoColumn[]): AsyncGenerator<readonly ResultRow[]> {
    const cells = columns.map(cellReader);
    try {
      for (let answer = first; ;) {
        const rows = answer.data ?? [];
        if (rows.length > 0) yield rows.map((row) => row.map((value, index) => cells[index]!(value)));
        if (running.next === undefined) return;
        answer = await this.#follow(running);
      }
    } finally {
      // A reader that has enough, too: nothing else would end the statement for minutes. A successor may still get these rows, or ends it.
      if (!isHandedOver(running.signal)) await this.#cancel(running);
    }
  }

  /** Ends a statement that has not ended by itself. */
  async #cancel(running: Running): Promise<void> {
    const { next } = running;
    if (next === undefined) return;
    running.next = undefined;
    await this.#client.cancel(next).catch(() => undefined);
  }

  async #call<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof QueryError ? error : unanswered(error, 'Trino does not answer.');
    }
  }
}

/** The user of a statement whose caller is not known. */
const anonymousUser = 'millrace';

function isHandedOver(signal: AbortSignal): boolean {
  const { reason } = signal as { reason: unknown };
  return signal.aborted && reason instanceof QueryStopped && reason.code === 'handed-over';
}
