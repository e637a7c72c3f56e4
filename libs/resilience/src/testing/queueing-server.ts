import type { Clock } from '../time/clock.ts';
import type { LoadSource } from '../admission/load-source.ts';

/** A server that does one piece of work at a time, in the order of arrival, also for clients that have gone: what makes overload last. */
export class QueueingServer implements LoadSource {
  private readonly waiting: (() => void)[] = [];
  private busy = false;

  constructor(
    private readonly clock: Clock,
    /** Milliseconds that a piece of work takes now. */
    public workMs: number,
  ) {}

  /** Resolves when the work is done. */
  work(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.next();
    });
  }

  /** How long new work would wait: what the delay of an event loop is to a real one. */
  eventLoopDelayMs(): number {
    return this.waiting.length * this.workMs;
  }

  heapUsedRatio(): number {
    return 0;
  }

  private next(): void {
    if (this.busy) return;
    const done = this.waiting.shift();
    if (done === undefined) return;
    this.busy = true;
    this.clock.setTimeout(() => {
      this.busy = false;
      done();
      this.next();
    }, this.workMs);
  }
}
