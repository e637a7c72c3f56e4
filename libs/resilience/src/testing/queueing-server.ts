import type { Clock } from '../time/clock.ts';
import type { LoadSource } from '../admission/load-source.ts';

/**
 * A server that processes one request at a time in order of arrival. It also works for clients that no longer wait, which prolongs an
 * overload.
 */
export class QueueingServer implements LoadSource {
  readonly #waiting: (() => void)[] = [];
  #busy = false;

  readonly #clock: Clock;

  constructor(
    clock: Clock,
    /** Current processing time of a request in milliseconds. */
    public workMs: number,
  ) {
    this.#clock = clock;
  }

  /** Resolves when the request is processed. */
  work(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#next();
    });
  }

  /** Wait of a new request. It takes the place of the event-loop delay of a real process. */
  eventLoopDelayMs(): number {
    return this.#waiting.length * this.workMs;
  }

  heapUsedRatio(): number {
    return 0;
  }

  #next(): void {
    if (this.#busy) return;
    const done = this.#waiting.shift();
    if (done === undefined) return;
    this.#busy = true;
    this.#clock.setTimeout(() => {
      this.#busy = false;
      done();
      this.#next();
    }, this.workMs);
  }
}
