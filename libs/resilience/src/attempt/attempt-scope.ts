import type { AttemptContext } from '../call/work.ts';
import type { Clock } from '../time/clock.ts';

/** Creates the signal and the deadline of an attempt on demand, because much work needs neither. */
export class AttemptScope implements AttemptContext {
  readonly #dueMs: number;
  readonly #clock: Clock;
  readonly #monotonic: () => number;
  #controller: AbortController | undefined;
  #abort: { readonly reason: unknown } | undefined;

  /** @param dueMs Monotonic milliseconds. */
  constructor(
    readonly attempt: number,
    dueMs: number,
    clock: Clock,
    monotonic: () => number,
  ) {
    this.#dueMs = dueMs;
    this.#clock = clock;
    this.#monotonic = monotonic;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abort !== undefined) this.#controller.abort(this.#abort.reason);
    }
    return this.#controller.signal;
  }

  get deadline(): number {
    return this.#clock.now() + this.#dueMs - this.#monotonic();
  }

  /** Signals to the work that its caller no longer waits. */
  abort(reason: unknown): void {
    this.#abort = { reason };
    this.#controller?.abort(reason);
  }
}
