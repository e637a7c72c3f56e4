/** Counts the requests of each caller that have no answer yet. */
export class OpenRequests {
  readonly #requestsMax: number;
  readonly #byCaller = new Map<string, number>();

  /** @param requestsMax maximum number of concurrent requests of one caller, ≥ 1 */
  constructor(requestsMax: number) {
    this.#requestsMax = requestsMax;
  }

  /** Counts a request. Returns false, and counts nothing, when its caller is at the limit. */
  tryOpen(caller: string): boolean {
    const open = this.#byCaller.get(caller) ?? 0;
    if (open >= this.#requestsMax) return false;
    this.#byCaller.set(caller, open + 1);
    return true;
  }

  /** Ends a request that {@link tryOpen} has counted. */
  close(caller: string): void {
    const open = this.#byCaller.get(caller)! - 1;
    // A caller that is gone takes no memory.
    if (open === 0) this.#byCaller.delete(caller);
    else this.#byCaller.set(caller, open);
  }
}
