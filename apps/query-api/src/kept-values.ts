/** Values that never change, under their names. The value that was kept first makes room. */
export class KeptValues<K, V> {
  readonly #values = new Map<K, V>();
  readonly #keptMax: number;

  /** @param keptMax maximum number of values that are kept */
  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  get(name: K): V | undefined {
    return this.#values.get(name);
  }

  keep(name: K, value: V): void {
    this.#values.set(name, value);
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#keptMax) return;
      this.#values.delete(oldest);
    }
  }
}
