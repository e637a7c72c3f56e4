/**
 * Shares reads among callers. A caller gets a read that begins after its call, never one that is under way: that one may have seen less.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  async read(): Promise<T> {
    if (this.#running === undefined) return await this.#start();
    this.#next ??= this.#afterRunning(this.#running);
    return await this.#next;
  }

  async #afterRunning(running: Promise<T>): Promise<T> {
    await running.catch(() => undefined);
    this.#next = undefined;
    return await this.#start();
  }

  async #start(): Promise<T> {
    const running = this.#read().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return await running;
  }
}
