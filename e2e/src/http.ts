import { setTimeout as pause } from 'node:timers/promises';
import type { BatchAnswer, KafkaReceipt, Problem, QueryView, ResultPage } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { stack } from './stack.ts';

/** An answer that has been read. */
export interface Answer<T> {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: T;
  readonly headers: Headers;
}

/** Sends a request and reads its answer as JSON. */
export async function ask<T = Problem>(url: string, init: RequestInit = {}): Promise<Answer<T>> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000), ...init });
  return {
    status: answer.status,
    contentType: answer.headers.get('content-type'),
    body: (await answer.json()) as T,
    headers: answer.headers,
  };
}

/** Posts a value as JSON, or a text unchanged. */
export async function post<T = Problem>(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
  return await ask<T>(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Posts one purchase while Kafka is up, and posts it again when the service is too busy. */
export async function postPurchase(purchase: unknown, url = stack.purchaseUrl): Promise<Answer<KafkaReceipt & Partial<Problem>>> {
  return await patiently(async () => await post(`${url}/v1/purchases`, purchase));
}

/** Posts purchases as one batch, and posts it again when the service answers that it is overloaded. */
export async function postBatch(batch: readonly unknown[], url = stack.purchaseUrl): Promise<Answer<BatchAnswer>> {
  return await patiently(async () => await post<BatchAnswer>(`${url}/v1/purchases/batch`, batch));
}

/** A client should retry a 503 with Retry-After, because a machine under other load sheds work. The number of attempts is limited. */
export async function patiently<T>(send: () => Promise<Answer<T>>): Promise<Answer<T>> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send();
    const retryAfter = answer.headers.get('retry-after');
    if (answer.status !== 503 || retryAfter === null || attempt === 20) return answer;
    await pause(Number(retryAfter) * 1000);
  }
}

/** Runs a query to its end and gives its first page. */
export async function query(request: unknown, url = stack.queryUrl): Promise<ResultPage> {
  const { status, body, headers } = await post<QueryView & Partial<Problem>>(`${url}/v1/queries`, request);
  // 200: the result was in the cache.
  if (status !== 202 && status !== 200) throw new Error(`the query was answered ${status}: ${JSON.stringify(body)}`);
  const location = new URL(headers.get('location')!, url).href;
  const view = await waitUntil(
    'the query to end',
    async () => {
      const { body: now } = await ask<QueryView>(location);
      return ['succeeded', 'failed', 'cancelled'].includes(now.state) ? now : undefined;
    },
    { timeoutMs: 60_000 },
  );
  if (view.state !== 'succeeded') throw new Error(`the query ${view.state}: ${JSON.stringify(view.error)}`);
  return (await ask<ResultPage>(new URL(view.links.results, url).href)).body;
}
