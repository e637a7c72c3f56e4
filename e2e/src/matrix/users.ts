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
