import type { Problem, PurchaseReceipt, QueryView, ResultPage } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { ask, post, postPurchase, type Answer } from '../http.ts';
import { makePurchases } from '../purchases.ts';
import { endOffsets } from '../topic.ts';
import type { MatrixStack } from './matrix-stack.ts';

/** How a query ended, or that it was not taken. */
export type QueryEnd =
  | { readonly state: 'refused'; readonly answer: Answer<Problem> }
  | { readonly state: QueryView['state']; readonly id: string; readonly error?: Problem | undefined; readonly stale?: QueryView['stale'] };

const daySeconds = 86_400;

/** The one day that queries read, so that what they cost does not grow. */
const day = '1970-01-02';

/** What users do while dependencies are in trouble. */
export class MatrixTraffic {
  /** Event ids of every purchase that was acknowledged. */
  readonly acknowledged = new Set<string>();
  readonly #stack: MatrixStack;
  #newDays = 1;

  constructor(stack: MatrixStack) {
    this.#stack = stack;
  }

  /** Posts a purchase; `newDay` is one that the catalog does not know yet. */
  async buy({ newDay = false, userId = 'user-0' }: { readonly newDay?: boolean; readonly userId?: string } = {}): Promise<Answer<PurchaseReceipt & Partial<Problem>>> {
    if (newDay) this.#newDays += 1;
    const [purchase] = makePurchases(1);
    const answer = await postPurchase({ ...purchase, userId, purchaseTimestamp: (newDay ? this.#newDays : 1) * daySeconds }, this.#stack.purchase.url);
    if (answer.status === 202) this.acknowledged.add(answer.body.eventId);
    return answer;
  }

  /** Waits until everything that is in the topic now has landed. */
  async landed(timeoutMs: number): Promise<void> {
    const expected = (await endOffsets(this.#stack.topic)).reduce((sum, end) => sum + end, 0);
    const landed = async (): Promise<boolean> => (await this.#stack.sink.metric('millrace_sink_lane_offset', { stage: 'landed' })) >= expected;
    await waitUntil(`the sink to land ${expected} events`, landed, { timeoutMs, everyMs: 250 });
  }

  /** Runs a statement to its end. */
  async query(engine: 'duckdb' | 'athena'): Promise<QueryEnd> {
    return await this.#run({ sql: `SELECT count(*) AS n FROM purchases WHERE dt = '${day}'`, engine, timeoutMs: 15_000 });
  }

  /** Runs the report, always the same one, to its end. */
  async report(): Promise<QueryEnd> {
    return await this.#run({ report: 'sales-by-genre', parameters: { from: day, to: day }, timeoutMs: 15_000 });
  }

  /** Reads the first page of a query's results. */
  async results(id: string): Promise<Answer<ResultPage & Partial<Problem>>> {
    return await ask(`${this.#stack.queryApi.url}/v1/queries/${id}/results`);
  }

  async #run(request: unknown): Promise<QueryEnd> {
    const { url } = this.#stack.queryApi;
    const answer = await post<QueryView & Problem>(`${url}/v1/queries`, request);
    if (answer.status !== 202) return { state: 'refused', answer };
    const self = new URL(answer.body.links.self, url).href;
    const ended = async (): Promise<QueryView | undefined> => {
      const { body } = await ask<QueryView>(`${self}?wait=5`);
      return ['succeeded', 'failed', 'cancelled'].includes(body.state) ? body : undefined;
    };
    const view = await waitUntil('a query to end', ended, { timeoutMs: 60_000 });
    return { state: view.state, id: view.id, error: view.error, stale: view.stale };
  }
}
