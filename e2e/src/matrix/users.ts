import { setTimeout as pause } from 'node:timers/promises';

/** Users that ask again and again, whatever they are answered, each with a short rest in between. */
export class Users {
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<void>[];

  constructor(users: readonly (() => Promise<unknown>)[], restMs = 200) {
    this.#running = users.map(async (ask) => {
      while (!this.#stop.signal.aborted) {
        await ask().catch(() => undefined);
        await pause(restMs);
      }
    });
  }

  /** Lets each have its last answer. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}

/** How long calls take, in milliseconds: 99 of 100 of them at most so long. A call that fails fails this. */
export async function p99Of(calls: readonly (() => Promise<unknown>)[], times: number): Promise<number> {
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
