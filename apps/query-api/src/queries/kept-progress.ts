import type { QueryProgress, ReadingProgress } from './query-record.ts';

/** Keeps the progress of one query where a successor finds it: one write at a time, and the newest progress last. */
export class KeptProgress {
  readonly #write: (progress: QueryProgress) => Promise<void>;
  #newest: QueryProgress | undefined;
  #reading: ReadingProgress | undefined;
  #unsaved: QueryProgress | undefined;
  #writing: Promise<void> | undefined;

  constructor(write: (progress: QueryProgress) => Promise<void>) {
    this.#write = write;
  }

  /**
   * Resolves when this progress is kept.
   *
   * @throws what the write throws; the progress is kept by the next {@link retry} that can
   */
  async save(progress: QueryProgress): Promise<void> {
    this.#newest = progress;
    this.#unsaved = this.#reading === undefined ? progress : { ...progress, reading: this.#reading };
    await this.#flush();
  }

  /** Saves the progress of an execution whose start was saved. An unchanged value is not written, and a failure is silent. */
  async note(reading: ReadingProgress): Promise<void> {
    const { phase, bytesScanned } = this.#reading ?? {};
    if (this.#newest === undefined || (reading.phase === phase && reading.bytesScanned === bytesScanned)) return;
    this.#reading = reading;
    this.#unsaved = { ...this.#newest, reading };
    await this.retry();
  }

  /** Writes what could not be written, if there is any. */
  async retry(): Promise<void> {
    await this.#flush().catch(() => undefined);
  }

  async #flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let progress = this.#unsaved; progress !== undefined; progress = this.#unsaved) {
      await this.#write(progress);
      if (this.#unsaved === progress) this.#unsaved = undefined;
    }
  }
}
