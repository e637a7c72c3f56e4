/** Values of immutable objects that were read, the oldest read going first. */
export class KeptReads<T> {
  readonly #values = new Map<number, T>();
  readonly #keptMax: number;

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  get(number: number): T | undefined {
    return this.#values.get(number);
  }

  keep(number: number, value: T): void {
    this.#values.set(number, value);
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#keptMax) return;
      this.#values.delete(oldest);
    }
  }
}
