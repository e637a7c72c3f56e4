import { setTimeout as pause } from 'node:timers/promises';

/** How long a user rests after an answer, in milliseconds. */
const restMs = 700;

/** Users that ask again and again, whatever they are answered. */
export class Users {
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(users: readonly (() => Promise<unknown>)[]) {
    this.#running = Promise.all(
      users.map(async (ask) => {
        while (!this.#stop.signal.aborted) {
          await ask().catch(() => undefined);
          await pause(restMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        }
      }),
    );
  }

  /** Lets each have its last answer. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

/**
 * Makes each of some calls so many times, and gives the time within which 99 of 100 were answered, in milliseconds.
 *
 * @throws what a call throws
 */
export async function p99Of(calls: readonly (() => Promise<void>)[], times: number): Promise<number> {
  const durations: number[] = [];
  for (let n = 0; n < times; n += 1) {
    for (const call of calls) {
      const start = performance.now();
      await call();
      durations.push(performance.now() - start);
    }
  }
  return durations.toSorted((a, b) => a - b)[Math.ceil(durations.length * 0.99) - 1]!;
}
