import { SharedRead } from './shared-read.ts';

/**
 * Shares reads among callers and over a short time. A caller states the maximum age of the read. Past half of that age, the next read
 * begins
 * in the background. So callers that come steadily never wait.
 */
export class RecentRead<T> {
  readonly #shared: SharedRead<T | undefined>;
  readonly #now: () => number;
  #last: { readonly value: T; readonly at: number } | undefined;
  #isRenewing = false;

  /**
   * @param read gives undefined for a value that is not known now. It must not fail
   * @param now epoch milliseconds
   */
  constructor(read: () => Promise<T | undefined>, now: () => number) {
    this.#shared = new SharedRead(read);
    this.#now = now;
  }

  /**
   * The value of a read that began at most `ageMsMax` before this call.
   *
   * @param ageMsMax 0 for a read that begins now
   */
  async read(ageMsMax: number): Promise<T | undefined> {
    const last = this.#last;
    if (last === undefined || ageMsMax === 0) return await this.#renew();
    const ageMs = this.#now() - last.at;
    if (ageMs > ageMsMax) return await this.#renew();
    if (ageMs > ageMsMax / 2 && !this.#isRenewing) {
      this.#isRenewing = true;
      void this.#renew().finally(() => (this.#isRenewing = false));
    }
    return last.value;
  }

  async #renew(): Promise<T | undefined> {
    const at = this.#now();
    const value = await this.#shared.read();
    if (value !== undefined && (this.#last === undefined || this.#last.at < at)) this.#last = { value, at };
    return value;
  }
}
