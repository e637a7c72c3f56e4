import { setTimeout as pause } from 'node:timers/promises';

/** How long a user rests after an answer, in milliseconds. */
const restMs = 700;

/** Users that repeat their requests, regardless of the answers. */
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

  /** Waits for the last answer of each user. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
