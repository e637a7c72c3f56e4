import { systemClock, type Clock } from '@millrace/resilience';
import type { PurchaseRequest } from '../api-types.ts';
import type { CallOptions } from '../connection.ts';
import { MillraceError } from '../errors.ts';
import type { PurchaseClient, PurchaseOutcome } from './purchase-client.ts';

/** Options of a {@link PurchaseBatcher}. */
export interface PurchaseBatcherOptions {
  /** Maximum number of purchases of one batch, 1–10,000. Default 500. */
  readonly countMax?: number;
  /** Maximum size of one batch in bytes of JSON, ≥ 1. A larger purchase is sent alone. Default 524,288. */
  readonly bytesMax?: number;
  /** Longest time for which a purchase waits for others, in milliseconds, ≥ 0. Default 20. */
  readonly ageMsMax?: number;
  /** Maximum number of purchases that wait or are being sent, ≥ 1. Default 10 batches of `countMax`. */
  readonly heldCountMax?: number;
  /** Maximum size of the purchases that wait or are being sent, in bytes of JSON, ≥ 1. Default 8,388,608. */
  readonly heldBytesMax?: number;
  /** Ends all work. The purchases that wait are then not accepted, with `closed`. Default: none. */
  readonly signal?: AbortSignal;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
}

/** A purchase in the buffer of a batcher. */
export interface HeldPurchase {
  readonly eventId: string;
  /** The fate of the purchase. It is never rejected. */
  readonly outcome: Promise<PurchaseOutcome>;
}

interface Entry extends HeldPurchase {
  readonly purchase: PurchaseRequest & { readonly eventId: string };
  readonly bytes: number;
  readonly settle: (outcome: PurchaseOutcome) => void;
  /** Time at which it joined the queue, in milliseconds of the clock. */
  since: number;
}

interface Waiter {
  readonly entry: Entry;
  readonly admit: () => void;
}

const encoder = new TextEncoder();

/**
 * Sends purchases in batches. It sends one batch at a time, so the purchases of one user keep their order. The exception is a purchase that
 * the service refuses temporarily. While the buffer is full, `add` waits: a fast producer slows down to the speed of the service.
 */
export class PurchaseBatcher {
  readonly #client: Pick<PurchaseClient, 'identify' | 'postBatch'>;
  readonly #limits: Required<Omit<PurchaseBatcherOptions, 'signal' | 'clock'>>;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #queue: Entry[] = [];
  /** The batch in flight, or empty. */
  #sending: readonly Entry[] = [];
  readonly #waiters = new Set<Waiter>();
  #heldCount = 0;
  #heldBytes = 0;
  #isFlushing = false;
  #isClosed = false;
  #timer: unknown;

  constructor(client: Pick<PurchaseClient, 'identify' | 'postBatch'>, options: PurchaseBatcherOptions = {}) {
    const { countMax = 500, bytesMax = 512 * 1024, ageMsMax = 20, heldBytesMax = 8 * 1024 * 1024 } = options;
    const { heldCountMax = 10 * countMax, signal, clock = systemClock } = options;
    this.#client = client;
    this.#limits = { countMax, bytesMax, ageMsMax, heldCountMax, heldBytesMax };
    this.#signal = signal;
    this.#clock = clock;
    signal?.addEventListener('abort', () => this.#abandon(), { once: true });
  }

  /** Number of purchases that wait or are being sent. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /**
   * Puts a purchase into the buffer. It resolves when the buffer has room.
   *
   * @throws MillraceError `closed`; the reason of the signal when it aborts before there is room
   */
  async add(purchase: PurchaseRequest, { signal }: CallOptions = {}): Promise<HeldPurchase> {
    signal?.throwIfAborted();
    if (this.#isClosed || this.#signal?.aborted === true) throw closedError();
    const entry = this.#entryOf(purchase);
    if (this.#waiters.size > 0 || !this.#hasRoomFor(entry)) await this.#waitForRoom(entry, signal);
    else this.#enqueue(entry);
    this.#sendNext();
    return { eventId: entry.eventId, outcome: entry.outcome };
  }

  /** Sends the buffered purchases without waiting for more. It resolves when each of these purchases has its outcome. */
  async flush(): Promise<void> {
    const outcomes = [...this.#queue, ...this.#sending].map(({ outcome }) => outcome);
    this.#isFlushing = true;
    this.#sendNext();
    await Promise.all(outcomes);
  }

  /** Refuses further purchases, sends the others, and resolves when each has its outcome. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#heldCount + this.#waiters.size > 0) await this.flush();
  }

  #entryOf(purchase: PurchaseRequest): Entry {
    const identified = this.#client.identify(purchase);
    const { promise, resolve } = Promise.withResolvers<PurchaseOutcome>();
    // One byte for the comma between two items.
    const bytes = encoder.encode(JSON.stringify(identified)).length + 1;
    return { purchase: identified, eventId: identified.eventId, outcome: promise, settle: resolve, bytes, since: 0 };
  }

  #hasRoomFor({ bytes }: Entry): boolean {
    const { heldCountMax, heldBytesMax } = this.#limits;
    // A purchase above the limit of bytes is let in alone: it could never enter otherwise.
    return this.#heldCount === 0 || (this.#heldCount < heldCountMax && this.#heldBytes + bytes <= heldBytesMax);
  }

  #enqueue(entry: Entry): void {
    entry.since = this.#clock.now();
    this.#queue.push(entry);
    this.#heldCount += 1;
    this.#heldBytes += entry.bytes;
  }

  async #waitForRoom(entry: Entry, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const leave = (reason: unknown): void => {
        this.#waiters.delete(waiter);
        end();
        reject(reason);
      };
      const onAbort = (): void => leave(signal!.reason);
      const onEnd = (): void => leave(closedError());
      const end = (): void => {
        signal?.removeEventListener('abort', onAbort);
        this.#signal?.removeEventListener('abort', onEnd);
      };
      const waiter: Waiter = {
        entry,
        admit: () => {
          end();
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#signal?.addEventListener('abort', onEnd, { once: true });
    });
  }

  /** Lets waiting purchases in, in their order. */
  #admitWaiters(): void {
    for (const waiter of this.#waiters) {
      if (!this.#hasRoomFor(waiter.entry)) return;
      this.#waiters.delete(waiter);
      this.#enqueue(waiter.entry);
      waiter.admit();
    }
  }

  /** Sends the next batch if none is under way and one is due. Otherwise a timer waits until one is. */
  #sendNext(): void {
    this.#clock.clearTimeout(this.#timer);
    if (this.#sending.length > 0 || this.#queue.length === 0) return;
    const { ageMsMax } = this.#limits;
    const count = this.#countOfNextBatch();
    const ageMs = this.#clock.now() - this.#queue[0]!.since;
    const isDue = this.#isFlushing || this.#isClosed || count < this.#queue.length || count >= this.#limits.countMax || ageMs >= ageMsMax;
    if (isDue) void this.#send(this.#queue.splice(0, count));
    else this.#timer = this.#clock.setTimeout(() => this.#sendNext(), ageMsMax - ageMs);
  }

  #countOfNextBatch(): number {
    const { countMax, bytesMax } = this.#limits;
    // The brackets of the array.
    let bytes = 2;
    let count = 0;
    for (const entry of this.#queue) {
      bytes += entry.bytes;
      if (count === countMax || (count > 0 && bytes > bytesMax)) break;
      count += 1;
    }
    return count;
  }

  async #send(batch: readonly Entry[]): Promise<void> {
    this.#sending = batch;
    const outcomes = await this.#outcomesOf(batch);
    for (const [index, entry] of batch.entries()) {
      this.#heldCount -= 1;
      this.#heldBytes -= entry.bytes;
      entry.settle(outcomes[index]!);
    }
    this.#sending = [];
    if (this.#queue.length === 0) this.#isFlushing = false;
    this.#admitWaiters();
    this.#sendNext();
  }

  async #outcomesOf(batch: readonly Entry[]): Promise<readonly PurchaseOutcome[]> {
    try {
      return await this.#client.postBatch(
        batch.map(({ purchase }) => purchase),
        { signal: this.#signal },
      );
    } catch (cause) {
      const error = cause instanceof MillraceError ? cause : closedError(cause);
      return batch.map(({ eventId }) => ({ accepted: false, eventId, error }));
    }
  }

  /** After the abort: nothing is sent any more. */
  #abandon(): void {
    this.#clock.clearTimeout(this.#timer);
    for (const { eventId, bytes, settle } of this.#queue.splice(0)) {
      this.#heldCount -= 1;
      this.#heldBytes -= bytes;
      settle({ accepted: false, eventId, error: closedError(this.#signal!.reason) });
    }
  }
}

function closedError(cause?: unknown): MillraceError {
  return new MillraceError('closed', 'The batcher is closed: it takes and sends no more purchases.', { cause });
}
