/** A cached answer. */
export interface CachedAnswer {
  readonly value: unknown;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/** Cache of the last good answers by key, with a limit. It evicts the least recently used answer first. */
export class AnswerCache {
  #entriesMax: number;
  /** Least recently used first. */
  readonly #answers = new Map<string, CachedAnswer>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Returns the answer of a key, if it is younger than `ageMsMax`. */
  get(key: string, ageMsMax: number, nowMs: number): CachedAnswer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined || nowMs - answer.atMs >= ageMsMax) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer;
  }

  set(key: string, value: unknown, nowMs: number): void {
    this.#answers.delete(key);
    this.#answers.set(key, { value, atMs: nowMs });
    this.#evict();
  }

  resize(entriesMax: number): void {
    this.#entriesMax = entriesMax;
    this.#evict();
  }

  get size(): number {
    return this.#answers.size;
  }

  #evict(): void {
    for (const key of this.#answers.keys()) {
      if (this.#answers.size <= this.#entriesMax) return;
      this.#answers.delete(key);
    }
  }
}
