import type { AbortFanOut, AbortHub, Abortable } from './abort-fan-out.ts';
import type { Clock } from './clock.ts';

/** Limits of a {@link Wait}. */
export interface WaitLimits {
  /** Longest wait in milliseconds. */
  readonly ms: number;
  /** Its abort fails the wait with the signal's reason. */
  readonly signal: AbortSignal | undefined;
  /** Creates the error for a wait that reaches its limit. Without it, the wait then completes without an error. */
  readonly timeoutError?: () => unknown;
}

/**
 * One wait of a call: for its back-off, for a bulkhead permit or for a shared answer.
 * It always removes its timer and its listener.
 */
export class Wait implements Abortable {
  readonly promise: Promise<void>;
  abortHub: AbortHub | undefined = undefined;
  abortNext: Abortable | undefined = undefined;
  abortPrevious: Abortable | undefined = undefined;
  readonly #waits: Waits;
  readonly #handle: unknown;
  #fulfil!: () => void;
  #reject!: (reason: unknown) => void;
  #over = false;

  constructor(waits: Waits, { ms, signal, timeoutError }: WaitLimits) {
    this.#waits = waits;
    this.promise = new Promise<void>((fulfil, reject) => {
      this.#fulfil = fulfil;
      this.#reject = reject;
    });
    this.#handle = waits.clock.setTimeout(() => (timeoutError === undefined ? this.complete() : this.fail(timeoutError())), ms);
    if (signal !== undefined) waits.fanOut.link(this, signal);
  }

  /** Completes the wait. Returns false if the wait was over already; its promise may not have settled yet. */
  complete(): boolean {
    if (!this.#release()) return false;
    this.#fulfil();
    return true;
  }

  fail(error: unknown): void {
    if (this.#release()) this.#reject(error);
  }

  onAbort(reason: unknown): void {
    this.fail(reason);
  }

  #release(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#waits.clock.clearTimeout(this.#handle);
    this.#waits.fanOut.unlink(this);
    this.#waits.remove(this);
    return true;
  }
}

/** All current waits of a pipeline, so that closing the pipeline can fail them. */
export class Waits {
  readonly #waits = new Set<Wait>();

  constructor(
    readonly clock: Clock,
    readonly fanOut: AbortFanOut,
  ) {}

  /** Starts a wait. The signal must not be aborted. */
  start(limits: WaitLimits): Wait {
    const wait = new Wait(this, limits);
    this.#waits.add(wait);
    return wait;
  }

  remove(wait: Wait): void {
    this.#waits.delete(wait);
  }

  failAll(error: unknown): void {
    for (const wait of this.#waits) wait.fail(error);
  }

  /** Number of waits that are not over. */
  get size(): number {
    return this.#waits.size;
  }
}
