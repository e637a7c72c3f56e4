import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventNumbers } from '../proof/event-number.ts';
import { numberedPurchase } from '../proof/numbered-purchase.ts';
import { AnswerTally, type SeenAnswer } from './answer-tally.ts';

/** Clients and rate of the traffic. */
export interface TrafficOptions {
  readonly purchaseUrl: string;
  readonly numbers: EventNumbers;
  /** Purchases a second. Without it, each client sends its next purchase when it has the receipt of the last. */
  readonly rate?: number;
  /** Purchases without a receipt at a time, ≥ 1. At the limit the traffic falls behind its rate and does not catch up. */
  readonly clients: number;
  /** Whether every second purchase has an `Idempotency-Key`, so that Redis takes part. Default false. */
  readonly withKeys?: boolean;
}

/** Buyers; each is a key of the topic. */
const buyers = 997;
const answerMsMax = 30_000;
const repeatMsMax = 1000;

/**
 * Sends single purchases, and sends each one again under its event id until it has a receipt. It waits as long as `Retry-After` asks, at
 * most a second.
 */
export class PurchaseTraffic {
  readonly #options: TrafficOptions;
  readonly #agent: Agent;
  readonly #url: URL;
  readonly #underWay = new Set<Promise<void>>();
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #tally = new AnswerTally();
  #tick = 0;
  #sent = 0;
  #acknowledged = 0;
  #sentAt = new Uint32Array(1 << 16);
  /** 0: without a receipt. */
  #acknowledgedAt = new Uint32Array(1 << 16);

  /** Set while the service is killed on purpose. */
  isServiceDown = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#url = new URL('/v1/purchases', options.purchaseUrl);
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.clients });
  }

  /** Events sent at least once. */
  get sent(): number {
    return this.#sent;
  }

  /** Events with a receipt. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Purchases without a receipt. */
  get underWay(): number {
    return this.#underWay.size;
  }

  isAcknowledged(number: number): boolean {
    return (this.#acknowledgedAt[number] ?? 0) > 0;
  }

  /** Moments of the events, for the check of the order. */
  get times(): { readonly sent: (number: number) => number; readonly acknowledged: (number: number) => number } {
    return {
      sent: (number) => this.#sentAt[number]!,
      acknowledged: (number) => this.#acknowledgedAt[number]! || Number.POSITIVE_INFINITY,
    };
  }

  /** The buyer of an event, which is its key in the topic. */
  buyerOf(number: number): number {
    return number % buyers;
  }

  /** Ends a period: returns its answers, and counts anew. */
  endPeriod(): AnswerTally {
    const ended = this.#tally;
    this.#tally = new AnswerTally();
    return ended;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.#run(this.#stopping.signal);
  }

  /**
   * Sends nothing new, and waits until everything sent has a receipt.
   *
   * @throws Error when that takes longer than `waitMsMax`
   */
  async stop(waitMsMax = 60_000): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const late = AbortSignal.timeout(waitMsMax);
    while (this.#underWay.size > 0) {
      if (late.aborted) throw new Error(`${this.#underWay.size} purchases have no receipt after ${waitMsMax / 1000} s`);
      await pause(20);
    }
    this.#agent.destroy();
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { rate, clients } = this.#options;
    if (rate === undefined) {
      await Promise.all(Array.from({ length: clients }, async () => await this.#buyInTurn(stopping)));
      return;
    }
    let last = performance.now();
    let due = 0;
    while (!stopping.aborted) {
      await pause(2);
      const now = performance.now();
      due += ((now - last) / 1000) * rate;
      last = now;
      for (; due >= 1 && this.#underWay.size < clients; due -= 1) void this.#buy();
      due = Math.min(due, 1 + rate / 100);
    }
  }

  async #buyInTurn(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) await this.#buy();
  }

  async #buy(): Promise<void> {
    const number = this.#sent;
    this.#sent += 1;
    if (this.#sent > this.#sentAt.length) this.#grow();
    const buying = this.#untilAcknowledged(number).finally(() => this.#underWay.delete(buying));
    this.#underWay.add(buying);
    await buying;
  }

  #grow(): void {
    this.#sentAt = doubled(this.#sentAt);
    this.#acknowledgedAt = doubled(this.#acknowledgedAt);
  }

  async #untilAcknowledged(number: number): Promise<void> {
    const body = JSON.stringify(numberedPurchase(this.#options.numbers, number, buyers));
    const key = this.#options.withKeys === true && number % 2 === 0 ? { 'idempotency-key': this.#options.numbers.id(number) } : {};
    this.#sentAt[number] = this.#tick += 1;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#post(body, key);
      this.#tally.add(answer);
      if (answer.status === 202) break;
      const askedMs = Number(answer.retryAfter ?? 0) * 1000 || 25 * 2 ** attempt;
      await pause(Math.min(repeatMsMax, askedMs) * (0.5 + Math.random() / 2));
    }
    this.#acknowledgedAt[number] = this.#tick += 1;
    this.#acknowledged += 1;
  }

  async #post(body: string, key: Readonly<Record<string, string>>): Promise<SeenAnswer> {
    const begunMs = performance.now();
    const seen = (found: Partial<SeenAnswer>): SeenAnswer => ({
      status: undefined,
      retryAfter: undefined,
      durability: undefined,
      tookMs: performance.now() - begunMs,
      isServiceDown: this.isServiceDown,
      ...found,
    });
    return await new Promise((resolve) => {
      const sending = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        timeout: answerMsMax,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...key },
      });
      const fail = (): void => resolve(seen({}));
      sending.once('error', fail);
      sending.once('timeout', () => sending.destroy(new Error('There is no answer.')));
      sending.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.once('error', fail);
        response.once('end', () => {
          const { statusCode: status, headers } = response;
          const durability = status === 202 ? (JSON.parse(text) as { durability?: string }).durability : undefined;
          resolve(seen({ status, retryAfter: headers['retry-after'], durability }));
        });
      });
      sending.end(body);
    });
  }
}

function doubled(values: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(values.length * 2);
  larger.set(values);
  return larger;
}
