import { randomUUID } from 'node:crypto';
import type { Problem, PurchaseReceipt, QueryView, ResultPage } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { ask, post, postPurchase, type Answer } from '../http.ts';
import { makePurchases } from '../purchases.ts';
import type { MatrixStack } from './matrix-stack.ts';

/** How a query ended, or that it was not taken. */
export type QueryEnd = { readonly state: 'refused'; readonly answer: Answer<Problem> } | { readonly state: QueryView['state']; readonly error?: Problem | undefined; readonly page?: ResultPage };

/** What users do while dependencies are in trouble. */
export class MatrixTraffic {
  /** Event ids of every purchase that was acknowledged. */
  readonly acknowledged = new Set<string>();
  readonly #stack: MatrixStack;
  #day = 0;

  constructor(stack: MatrixStack) {
    this.#stack = stack;
  }

  /** Posts a purchase of a day that no other one is of, so that its partition must be registered, too. */
  async buy(): Promise<Answer<PurchaseReceipt & Partial<Problem>>> {
    this.#day += 1;
    const [purchase] = makePurchases(1);
    const answer = await postPurchase({ ...purchase, userId: randomUUID(), purchaseTimestamp: this.#day * 86_400 }, this.#stack.purchase.url);
    if (answer.status === 202) this.acknowledged.add(answer.body.eventId);
    return answer;
  }

  /** Runs a query that no cache knows, to its end. */
  async query(engine: 'duckdb' | 'athena'): Promise<QueryEnd> {
    const { url } = this.#stack.queryApi;
    const sql = `SELECT count(*) AS n, '${randomUUID()}' AS tag FROM purchases`;
    const answer = await post<QueryView & Problem>(`${url}/v1/queries`, { sql, engine, timeoutMs: 10_000 });
    if (answer.status !== 202) return { state: 'refused', answer };
    const self = new URL(answer.body.links.self, url).href;
    const view = await waitUntil(
      'a query to end',
      async () => {
        const { body } = await ask<QueryView>(self);
        return ['succeeded', 'failed', 'cancelled'].includes(body.state) ? body : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    if (view.state !== 'succeeded') return { state: view.state, error: view.error };
    const results = await ask<ResultPage>(new URL(view.links.results, url).href);
    return results.status === 200 ? { state: 'succeeded', page: results.body } : { state: 'failed', error: results.body as unknown as Problem };
  }
}
