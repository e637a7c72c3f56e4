import { setTimeout as pause } from 'node:timers/promises';
import type { TableRead } from './table-reads.ts';

/** One reader that reads the whole time. */
export interface ReaderLoopOptions {
  readonly name: string;
  readonly read: () => Promise<TableRead>;
  /** Pause between two reads, in milliseconds. */
  readonly everyMs: number;
}

/** A read that failed. */
export interface FailedRead {
  readonly reader: string;
  readonly message: string;
}

/** Reads again and again, and keeps each answer until it is taken. */
export class ReaderLoop {
  readonly name: string;
  readonly #options: ReaderLoopOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #answers: TableRead[] = [];
  #failures: FailedRead[] = [];
  #slowestMs = 0;

  constructor(options: ReaderLoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** The longest read, in milliseconds. */
  get slowestMs(): number {
    return Math.round(this.#slowestMs);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends after the read in progress. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** The answers and failures since the last call. */
  take(): { readonly answers: readonly TableRead[]; readonly failures: readonly FailedRead[] } {
    const taken = { answers: this.#answers, failures: this.#failures };
    this.#answers = [];
    this.#failures = [];
    return taken;
  }

  async #run(): Promise<void> {
    const { name, read, everyMs } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const started = performance.now();
      try {
        this.#answers.push(await read());
      } catch (error) {
        this.#failures.push({ reader: name, message: error instanceof Error ? error.message : String(error) });
      }
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - started);
      await pause(everyMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }
}
