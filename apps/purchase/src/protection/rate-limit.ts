import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';

/** Counts the events of each caller in windows of one second. It is in the memory of one instance. */
export class RateLimit {
  readonly #eventsPerSecond: number;
  readonly #limiter: RateLimiterMemory;

  constructor(eventsPerSecond: number) {
    this.#eventsPerSecond = eventsPerSecond;
    this.#limiter = new RateLimiterMemory({ points: eventsPerSecond, duration: 1 });
  }

  /** Counts one event. Returns undefined when the caller is within its rate, and otherwise the seconds until it may send again. */
  async take(caller: string): Promise<number | undefined> {
    try {
      await this.#limiter.consume(caller);
      return undefined;
    } catch (refusal) {
      return Math.max(1, Math.ceil((refusal as RateLimiterRes).msBeforeNext / 1000));
    }
  }

  /**
   * Counts further events of a request that was let in. A batch may exceed the rate, because a caller could never send it otherwise. The
   * caller then
   * waits until its average is the rate again.
   */
  async charge(caller: string, events: number): Promise<void> {
    const { consumedPoints } = await this.#limiter.penalty(caller, events);
    const excess = consumedPoints - this.#eventsPerSecond;
    if (excess > 0) await this.#limiter.set(caller, consumedPoints, excess / this.#eventsPerSecond);
  }
}
