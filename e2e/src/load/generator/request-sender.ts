import type { BatchAnswer } from '@millrace/contracts';
import { Pool, type Dispatcher } from 'undici';
import { numberedPurchase } from '../../proof/numbered-purchase.ts';
import type { StreamName } from './load-phase.ts';
import type { SentEvents } from './sent-events.ts';

/**
 * How a request ended. `accepted`: all of it. `shed`: 429 or 503 with `Retry-After`, or a batch of which the service took a part. `failed`:
 * anything else, no answer included.
 */
export type Outcome = 'accepted' | 'shed' | 'failed';

/** Receivers of the requests. */
export interface RequestTargets {
  readonly purchaseUrl: string;
  readonly queryUrl: string;
}

/** Maximum number of requests of a stream that wait for an answer. Each has its own connection. */
export const inFlightMax: Readonly<Record<StreamName, number>> = { purchase: 400, batch: 40, query: 80 };

/** Events in a batch. */
export const batchEvents = 50;

const answerMsMax = 15_000;
const buyers = 997;
const json = { 'content-type': 'application/json' };

/** Sends one request of a stream at a time, and knows its outcome. */
export class RequestSender {
  readonly #events: SentEvents;
  readonly #pools: Readonly<Record<StreamName, Pool>>;
  readonly #senders: Readonly<Record<StreamName, () => Promise<Outcome>>> = {
    purchase: async () => await this.#sendPurchase(),
    batch: async () => await this.#sendBatch(),
    query: async () => await this.#sendQuery(),
  };
  #queries = 0;
  readonly #failures = new Map<string, number>();

  constructor({ purchaseUrl, queryUrl }: RequestTargets, events: SentEvents) {
    this.#events = events;
    this.#pools = { purchase: poolOf(purchaseUrl, 'purchase'), batch: poolOf(purchaseUrl, 'batch'), query: poolOf(queryUrl, 'query') };
  }

  /** Reasons of failed requests with their counts. */
  get failures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#failures);
  }

  async send(stream: StreamName): Promise<Outcome> {
    try {
      return await this.#senders[stream]();
    } catch (error) {
      return this.#fail(stream, (error as { code?: string }).code ?? String(error));
    }
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map(async (pool) => await pool.destroy()));
  }

  async #sendPurchase(): Promise<Outcome> {
    const number = this.#events.take(1);
    const answer = await this.#post('purchase', '/v1/purchases', numberedPurchase(this.#events.numbers, number, buyers));
    await answer.body.dump();
    if (answer.statusCode !== 202) return this.#refusal('purchase', answer);
    this.#events.acknowledge(number);
    return 'accepted';
  }

  async #sendBatch(): Promise<Outcome> {
    const first = this.#events.take(batchEvents);
    const body = Array.from({ length: batchEvents }, (_, n) => numberedPurchase(this.#events.numbers, first + n, buyers));
    const answer = await this.#post('batch', '/v1/purchases/batch', body);
    if (answer.statusCode !== 202) {
      await answer.body.dump();
      return this.#refusal('batch', answer);
    }
    const { items } = (await answer.body.json()) as BatchAnswer;
    for (const [n, item] of items.entries()) if (!('problem' in item)) this.#events.acknowledge(first + n);
    return items.some((item) => 'problem' in item) ? 'shed' : 'accepted';
  }

  async #sendQuery(): Promise<Outcome> {
    this.#queries += 1;
    const body = { sql: 'SELECT ? AS n', parameters: [this.#queries], cache: false };
    const answer = await this.#post('query', '/v1/queries', body, { prefer: 'wait=10' });
    // 202: the query is kept and has no result within the wait. It counts as accepted after that time.
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      return answer.statusCode === 202 ? 'accepted' : this.#refusal('query', answer);
    }
    const { state } = (await answer.body.json()) as { state: string };
    return state === 'succeeded' ? 'accepted' : this.#fail('query', `state ${state}`);
  }

  async #post(
    stream: StreamName,
    path: string,
    body: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Dispatcher.ResponseData> {
    return await this.#pools[stream].request({ path, method: 'POST', headers: { ...json, ...more }, body: JSON.stringify(body) });
  }

  #refusal(stream: StreamName, { statusCode, headers }: Dispatcher.ResponseData): Outcome {
    const isShed = (statusCode === 503 || statusCode === 429) && Number(headers['retry-after']) > 0;
    return isShed ? 'shed' : this.#fail(stream, `status ${statusCode}`);
  }

  #fail(stream: StreamName, reason: string): Outcome {
    const key = `${stream}: ${reason}`;
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
    return 'failed';
  }
}

function poolOf(url: string, stream: StreamName): Pool {
  return new Pool(url, { connections: inFlightMax[stream], headersTimeout: answerMsMax, bodyTimeout: answerMsMax });
}
