import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { InterruptedError } from './errors.mjs';

/** Signals that end a command: Ctrl-C, a supervisor, and a terminal that closes. */
export const endingSignals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** @typedef {(typeof endingSignals)[number]} EndingSignal */

/**
 * Time within which two signals count as one, in milliseconds. One Ctrl-C reaches a process twice: from the terminal, and from the parent
 * that forwards it. `timeout` and npm also send a signal to both the process and its group.
 */
const sameWishMs = 500;

/** Time in which a signal that another process has heard already reaches this one, in milliseconds. */
const signalDelayMs = 200;

/** Turns signals into two requests: the first signal asks for a clean stop, a later one for an immediate stop. */
export class Interruption {
  #now;
  #stop = new AbortController();
  #kill = new AbortController();
  #at = 0;
  /** @type {EndingSignal | undefined} */
  #first;

  // Fields and not getters: callers spread them into their options.
  /**
   * Aborts with an {@link InterruptedError} at the first signal.
   *
   * @type {AbortSignal}
   */
  signal;
  /**
   * Aborts when a second signal asks not to wait any longer.
   *
   * @type {AbortSignal}
   */
  hard;

  /** @param {() => number} now a monotonic clock in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.signal = this.#stop.signal;
    this.hard = this.#kill.signal;
  }

  /** Listens to the signals of this process until it exits. */
  listen() {
    for (const name of endingSignals) process.on(name, () => this.onSignal(name));
    // A closed terminal accepts no output. The command must still stop the processes that it started.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  }

  /** @param {EndingSignal} name */
  onSignal(name) {
    if (this.#first === undefined) {
      this.#first = name;
      this.#at = this.#now();
      this.#stop.abort(new InterruptedError());
    } else if (this.#now() - this.#at >= sameWishMs) {
      this.#kill.abort(new InterruptedError());
    }
  }

  /**
   * Tells whether a failure may come from an interruption. A process that is starting gets Ctrl-C as well. It may end before this process
   * has handled the signal, so this waits {@link signalDelayMs} for a signal that is under way.
   *
   * @returns {Promise<boolean>}
   */
  async explainsFailure() {
    if (this.#first === undefined) await pause(signalDelayMs);
    return this.#first !== undefined;
  }

  /** The exit code that a shell expects after the signal: 130 after Ctrl-C. */
  get exitCode() {
    return this.#first === undefined ? 0 : exitCodeOf(this.#first);
  }
}

/**
 * The exit code that a shell reports for a process that a signal ended.
 *
 * @param {NodeJS.Signals} name
 */
export function exitCodeOf(name) {
  return 128 + constants.signals[name];
}

/**
 * Waits for work that cannot be aborted itself, at most until an interruption. The work continues then, because the process exits soon.
 *
 * @template T
 * @param {Promise<T>} work
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 * @throws the signal's reason
 */
export async function unlessInterrupted(work, signal) {
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
