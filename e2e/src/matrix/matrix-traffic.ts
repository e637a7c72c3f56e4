import { setTimeout as pause } from 'node:timers/promises';
import type { Problem, EventReceipt, QueryView, ResultPage } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { ask, post, type Answer } from '../http.ts';
import { makePurchases } from '../purchases.ts';
import { endOffsets } from '../topic.ts';
import type { MatrixStack } from './matrix-stack.ts';
import { patienceMs } from './short-settings.ts';

const daySeconds = 86_400;

/**
 * The day of the first purchases, and the only one that queries read. Later purchases have later days, so that the cost of a query does not
 * grow.
 */
const queriedDay = '1970-01-02';

/** Time a query may run, in milliseconds: longer than the attempt of any pipeline. */
const queryMsMax = 15_000;

/** The requests of users during the faults. */
export class MatrixTraffic {
  /** Event ids of every purchase that was acknowledged. */
  readonly acknowledged = new Set<string>();
  readonly #stack: MatrixStack;
  #lastDay = 2;

  constructor(stack: MatrixStack) {
    this.#stack = stack;
  }

  /** Posts a purchase. */
  async buy({
    userId = 'user-0',
    day = this.acknowledged.size === 0 ? 1 : 2,
  }: { readonly userId?: string; readonly day?: number } = {}): Promise<Answer<EventReceipt & Partial<Problem>>> {
    const [purchase] = makePurchases(1);
    const answer = await post<EventReceipt & Partial<Problem>>(`${this.#stack.purchase.url}/v1/purchases`, {
      ...purchase,
      userId,
      purchaseTimestamp: day * daySeconds,
    });
    if (answer.status === 202) this.acknowledged.add(answer.body.eventId);
    return answer;
  }

  /**
   * Posts a purchase of a new day and waits until the catalog can know the day. Every query reads one more day then, so new days are rare.
   */
  async buyNewDay(): Promise<void> {
    this.#lastDay += 1;
    await this.buy({ day: this.#lastDay });
    await pause(2000);
  }

  /** Waits until everything that is in the topic now has landed. */
  async landed(): Promise<void> {
    const expected = (await endOffsets(this.#stack.topic)).reduce((sum, end) => sum + end, 0);
    const landed = async (): Promise<boolean> =>
      (await this.#stack.sink.metric('millrace_sink_lane_offset', { stage: 'landed' })) >= expected;
    await waitUntil(`the sink to land ${expected} events`, landed, { timeoutMs: patienceMs, everyMs: 200 });
  }

  /**
   * Submits a statement. The cache is bypassed, because the claims are about the engines. The emulator of Athena would copy every file
   * of the table for each statement that names it, and take both processors.
   */
  async submit(engine: 'duckdb' | 'athena'): Promise<Answer<QueryView & Partial<Problem>>> {
    return await this.#submit({
      sql: engine === 'athena' ? 'SELECT 1 AS n' : `SELECT count(*) AS n FROM purchases WHERE dt = '${queriedDay}'`,
      engine,
      timeoutMs: queryMsMax,
      cache: false,
    });
  }

  /** Runs a statement to its end. */
  async query(engine: 'duckdb' | 'athena'): Promise<QueryView> {
    return await this.#ended(await this.submit(engine));
  }

  /** Runs a statement whose result is too large for the record of its query, so that S3 has it alone. */
  async largeQuery(): Promise<QueryView> {
    const sql = 'SELECT n FROM range(1000) t(n)';
    return await this.#ended(await this.#submit({ sql, engine: 'duckdb', timeoutMs: queryMsMax, cache: false }));
  }

  /** Runs the report, always the same one, to its end. */
  async report(): Promise<QueryView> {
    return await this.#ended(
      await this.#submit({
        report: 'sales-by-genre',
        parameters: { from: queriedDay, to: queriedDay },
        timeoutMs: queryMsMax,
        cache: false,
      }),
    );
  }

  /** Reads the first page of a query's results. */
  async results(id: string): Promise<Answer<ResultPage & Partial<Problem>>> {
    return await ask(`${this.#stack.queryApi.url}/v1/queries/${id}/results`);
  }

  async #submit(request: unknown): Promise<Answer<QueryView & Partial<Problem>>> {
    return await post(`${this.#stack.queryApi.url}/v1/queries`, request);
  }

  async #ended({ status, body }: Answer<QueryView & Partial<Problem>>): Promise<QueryView> {
    if (status !== 202) throw new Error(`the query was answered ${status}: ${JSON.stringify(body)}`);
    const ended = async (): Promise<QueryView | undefined> => {
      const { body: view } = await ask<QueryView>(`${this.#stack.queryApi.url}${body.links.self}?wait=5`);
      return ['succeeded', 'failed', 'cancelled'].includes(view.state) ? view : undefined;
    };
    return await waitUntil('a query to end', ended, { timeoutMs: patienceMs });
  }
}
