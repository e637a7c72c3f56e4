import { setTimeout as pause } from 'node:timers/promises';
import type { BatchAnswer } from '@millrace/contracts';
import type { EventNumbers } from './event-number.ts';

/** Events and rate of a flow. */
export interface FlowOptions {
  readonly purchaseUrl: string;
  readonly numbers: EventNumbers;
  /** Purchases a second. */
  readonly rate: number;
  /** Purchases in one request. */
  readonly itemsPerRequest: number;
  /** Requests that may be under way at once; when all are, the flow falls behind its rate: {@link PurchaseFlow.behindMs}. */
  readonly requestsMax: number;
  /** Days over which the purchases spread: each batch of the sink then has that many files. */
  readonly days: number;
  readonly random: () => number;
}

/**
 * A client that follows the rules of the API. It posts purchases at a rate, and posts each one without a receipt again under the same
 * event id.
 */
export class PurchaseFlow {
  readonly #options: FlowOptions;
  readonly #underWay = new Set<Promise<void>>();
  #stopping = new AbortController();
  #acknowledged = new Uint8Array(1 << 16);
  #sent = 0;
  #count = 0;
  #retries = 0;
  #behindMs = 0;
  #running: Promise<void> | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
  }

  /** Number of requests that have no answer now. */
  get requestsUnderWay(): number {
    return this.#underWay.size;
  }

  /** Events posted at least once. */
  get sent(): number {
    return this.#sent;
  }

  /** Events with a receipt. */
  get acknowledged(): number {
    return this.#count;
  }

  /** Requests that had to be repeated. */
  get retries(): number {
    return this.#retries;
  }

  /** How long purchases were due and not sent, because the maximum number of requests was in flight; in milliseconds. */
  get behindMs(): number {
    return this.#behindMs;
  }

  /** Whether the event of a number has a receipt. */
  isAcknowledged(number: number): boolean {
    return this.#acknowledged[number] === 1;
  }

  /** Sends, at the rate, until stopped; may be called again after that. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  /**
   * Sends nothing new, and waits until everything sent has a receipt.
   *
   * @throws Error when that takes longer than `waitMsMax`
   */
  async stop(waitMsMax = 120_000): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = undefined;
    const late = AbortSignal.timeout(waitMsMax);
    while (this.#underWay.size > 0) {
      if (late.aborted) throw new Error(`${this.#sent - this.#count} purchases still have no receipt after ${waitMsMax / 1000} s`);
      await pause(50);
    }
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { rate, itemsPerRequest, requestsMax } = this.#options;
    const started = performance.now();
    const before = this.#sent;
    while (!stopping.aborted) {
      const now = performance.now();
      const due = before + ((now - started) / 1000) * rate;
      while (this.#sent + itemsPerRequest <= due && this.#underWay.size < requestsMax) this.#send(itemsPerRequest);
      const behind = this.#sent + itemsPerRequest <= due;
      await pause(5);
      if (behind) this.#behindMs += performance.now() - now;
    }
  }

  #send(count: number): void {
    const first = this.#sent;
    this.#sent += count;
    if (this.#sent > this.#acknowledged.length) {
      const larger = new Uint8Array(Math.max(this.#sent, this.#acknowledged.length * 2));
      larger.set(this.#acknowledged);
      this.#acknowledged = larger;
    }
    const sending = this.#post(Array.from({ length: count }, (_, index) => first + index)).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  async #post(numbers: readonly number[]): Promise<void> {
    const bodies = new Map(numbers.map((number) => [number, this.#purchase(number)]));
    for (let attempt = 0; bodies.size > 0; attempt += 1) {
      if (attempt > 0) {
        this.#retries += 1;
        await pause(Math.min(2000, 50 * 2 ** attempt) * this.#options.random());
      }
      const asked = [...bodies];
      const answer = await this.#ask(asked.map(([, body]) => body));
      for (const { index, status, ...item } of answer?.items ?? []) {
        const number = asked[index]?.[0];
        if (status >= 400 && status < 500 && status !== 429)
          throw new TypeError(`a purchase of the proof was refused: ${JSON.stringify(item)}`);
        if (status !== 202 || number === undefined) continue;
        bodies.delete(number);
        if (this.#acknowledged[number] === 0) this.#count += 1;
        this.#acknowledged[number] = 1;
      }
    }
  }

  async #ask(bodies: readonly string[]): Promise<BatchAnswer | undefined> {
    try {
      const response = await fetch(`${this.#options.purchaseUrl}/v1/purchases/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `[${bodies.join(',')}]`,
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      if (response.status === 202) return JSON.parse(text) as BatchAnswer;
      if (response.status < 500 && response.status !== 429)
        throw new TypeError(`a purchase of the proof was refused: ${response.status} ${text.slice(0, 300)}`);
      return undefined;
    } catch (error) {
      // A refusal is a mistake in the proof. A client retries every other failure.
      if (error instanceof TypeError && error.message.startsWith('a purchase')) throw error;
      return undefined;
    }
  }

  #purchase(number: number): string {
    const { numbers, days, random } = this.#options;
    const day = Math.floor(random() * days);
    return JSON.stringify({
      eventId: numbers.id(number),
      bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
      title: 'Orlando',
      author: 'Virginia Woolf',
      genre: 'Fiction',
      userId: `user-${number % 997}`,
      userCountry: 'GB',
      userAge: 18 + (number % 60),
      purchaseTimestamp: 1_575_072_000 + day * 86_400 + (number % 86_400),
    });
  }
}
