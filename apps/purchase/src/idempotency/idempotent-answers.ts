import { hash } from 'node:crypto';
import { PurchaseError, type PurchaseErrorCode } from '../errors.ts';
import { eventIdOfKey, type RequestName } from './event-id-of-key.ts';
import { decodeReceipt, encodeReceipt } from './receipt-codec.ts';
import type { KnownRequest, ReceiptStore } from './receipt-store.ts';

/** A request with an `Idempotency-Key`. */
export interface KeyedRequest extends RequestName {
  /** Route of the request: a key is valid for one route. */
  readonly route: string;
  /** The body as parsed. */
  readonly body: unknown;
}

/**
 * Outcome of a request with a key, for metrics.
 *
 * - `first`: its receipt is kept.
 * - `replayed`: it got the receipt of an earlier request.
 * - `conflict`: its key belongs to another body.
 * - `failed`: it has no receipt, or one that a repetition may still change.
 * - `unavailable`: no store answered; the event id alone protects the event.
 */
export type KeyedResult = 'first' | 'replayed' | 'conflict' | 'failed' | 'unavailable';

/**
 * The fate of an answer.
 *
 * - `keep`: a repetition gets this answer.
 * - `repeat`: a repetition does the work again, because it may get a better answer.
 * - `release`: nothing is kept, and the key is free for a corrected body.
 */
export type Verdict = 'keep' | 'repeat' | 'release';

/** Work of a request. It gets the id of its event, or of each event of a batch by its index. */
export type KeyedWork<T> = (eventIdOf: (index?: number) => string) => Promise<T>;

/** The answer to a request with a key. */
export interface KeyedAnswer<T> {
  readonly answer: T;
  readonly isReplayed: boolean;
  /** Whether a repetition gets this answer; otherwise the events are sent again under the same ids. */
  readonly isKept: boolean;
}

/** Errors that the same body always gets. */
const hopelessCodes: ReadonlySet<PurchaseErrorCode> = new Set(['validation', 'event-too-large']);

/** Dependencies of {@link IdempotentAnswers}. */
export interface IdempotentAnswersOptions {
  /** Undefined: no receipt is kept. */
  readonly store: ReceiptStore | undefined;
  readonly onResult: (result: KeyedResult) => void;
}

/**
 * Makes repeated requests idempotent. The event ids derive from the key alone, on each instance and without any store, so the sink
 * drops a repeated event. The store adds the first receipt, and refuses another body under the same key.
 */
export class IdempotentAnswers {
  readonly #store: ReceiptStore | undefined;
  readonly #onResult: (result: KeyedResult) => void;

  constructor({ store, onResult }: IdempotentAnswersOptions) {
    this.#store = store;
    this.#onResult = onResult;
  }

  /**
   * Answers a request with its kept receipt, or else does its work and keeps the receipt.
   *
   * @param verdictOf decides whether the answer is kept
   * @throws PurchaseError `idempotency-conflict` when the key belongs to another request, and every error of `work`
   */
  async answer<T>(request: KeyedRequest, work: KeyedWork<T>, verdictOf: (answer: T) => Verdict): Promise<KeyedAnswer<T>> {
    const eventIdOf = (index?: number): string => eventIdOfKey(request, index);
    const store = this.#store;
    if (store === undefined) {
      this.#onResult('unavailable');
      return { answer: await work(eventIdOf), isReplayed: false, isKept: false };
    }
    const id = eventIdOf();
    const fingerprint = hash('sha256', JSON.stringify([request.route, request.body ?? null]), 'base64url');
    const claimed = await store.claim(id, fingerprint);
    const earlier = await this.#replayed<T>(claimed, fingerprint);
    if (earlier !== undefined) return earlier;
    const release = async (): Promise<void> => {
      // Without its claim, the request does not know whether the key is that of another one.
      if (claimed !== undefined) await store.release(id);
    };
    const answer = await this.#worked(work(eventIdOf), release);
    const verdict = verdictOf(answer);
    if (verdict !== 'keep') {
      this.#onResult('failed');
      if (verdict === 'release') await release();
      return { answer, isReplayed: false, isKept: false };
    }
    const receipt = await encodeReceipt(answer);
    const kept = await store.keep(id, fingerprint, receipt);
    const isOurs = kept?.fingerprint === fingerprint;
    // Another request of the key was faster: both answer with the receipt that is kept.
    if (isOurs && kept.receipt?.equals(receipt) === false) return (await this.#replayed<T>(kept, fingerprint))!;
    const isKept = isOurs && kept.receipt !== undefined;
    this.#onResult(isKept ? 'first' : 'unavailable');
    return { answer, isReplayed: false, isKept };
  }

  async #replayed<T>(known: KnownRequest | undefined, fingerprint: string): Promise<KeyedAnswer<T> | undefined> {
    if (known === undefined) return undefined;
    if (known.fingerprint !== fingerprint) {
      this.#onResult('conflict');
      throw new PurchaseError('idempotency-conflict', 'The Idempotency-Key belongs to another request. Use a new key for a new event.', {
        errors: [{ field: 'Idempotency-Key', message: 'was used with another body' }],
      });
    }
    if (known.receipt === undefined) return undefined;
    this.#onResult('replayed');
    return { answer: (await decodeReceipt(known.receipt)) as T, isReplayed: true, isKept: true };
  }

  /** Waits for the work. A request that can never succeed gives its key back: its sender may correct it under the same key. */
  async #worked<T>(work: Promise<T>, release: () => Promise<void>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#onResult('failed');
      if (error instanceof PurchaseError && hopelessCodes.has(error.code)) await release();
      throw error;
    }
  }
}
