import { hashOfId, isSameId, wordsPerId } from './ids/id-words.ts';

/** The event ids of the rows kept so far in one part of a fetch: a hash index over the words of the part. */
export class KeptIds {
  /** Newest row of a hash, plus 1. */
  #heads = new Uint32Array(0);
  /** Next older row of the same hash, plus 1. */
  #older = new Uint32Array(0);
  #offsets = new Float64Array(0);

  /** Forgets all, and makes room for a part. */
  clear(records: number): void {
    if (this.#older.length >= records) {
      this.#heads.fill(0);
      return;
    }
    this.#heads = new Uint32Array(2 ** Math.ceil(Math.log2(records * 2)));
    this.#older = new Uint32Array(records);
    this.#offsets = new Float64Array(records);
  }

  /** Adds the n-th record of the part, whose id begins at word 4n. */
  add(ids: Uint32Array, n: number, offset: number): void {
    const hash = hashOfId(ids, n * wordsPerId) & (this.#heads.length - 1);
    this.#older[n] = this.#heads[hash]!;
    this.#heads[hash] = n + 1;
    this.#offsets[n] = offset;
  }

  /** The offset of the newest kept row with the id at a position; undefined without one. */
  lastOf(ids: Uint32Array, place: number): number | undefined {
    const hash = hashOfId(ids, place) & (this.#heads.length - 1);
    for (let row = this.#heads[hash]!; row !== 0; row = this.#older[row - 1]!)
      if (isSameId(ids, (row - 1) * wordsPerId, ids, place)) return this.#offsets[row - 1];
    return undefined;
  }
}
