/**
 * Several counters over a sliding window of equal buckets. The totals are kept up to date, so adding and reading take constant time.
 * Times are milliseconds since any fixed origin. A time that steps back counts as the newest bucket.
 */
export class RollingCounts {
  readonly #buckets: number;
  readonly #kinds: number;
  readonly #bucketMs: number;
  readonly #counts: Float64Array;
  readonly #totals: Float64Array;
  /** Number of the newest bucket, counted from the origin of time. */
  #newest = Number.NEGATIVE_INFINITY;
  /** Index of the first counter of the newest bucket. */
  #newestIndex = 0;
  /** Start of the next bucket. Before that time, no bucket expires. */
  #newestUntilMs = Number.NEGATIVE_INFINITY;

  /** @param kinds Number of counters. A kind is an index from 0 to `kinds - 1`. */
  constructor(windowMs: number, buckets: number, kinds: number) {
    this.#buckets = buckets;
    this.#kinds = kinds;
    this.#bucketMs = windowMs / buckets;
    this.#counts = new Float64Array(buckets * kinds);
    this.#totals = new Float64Array(kinds);
  }

  /** Adds `amount` to one counter at the time `nowMs`. */
  add(kind: number, nowMs: number, amount = 1): void {
    this.#advance(nowMs);
    this.#counts[this.#newestIndex + kind]! += amount;
    this.#totals[kind]! += amount;
  }

  /** Total of one counter over the window that ends at `nowMs`. */
  total(kind: number, nowMs: number): number {
    this.#advance(nowMs);
    return this.#totals[kind]!;
  }

  /** Sets all counters to 0. */
  clear(): void {
    this.#counts.fill(0);
    this.#totals.fill(0);
  }

  #advance(nowMs: number): void {
    if (nowMs < this.#newestUntilMs) return;
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket - this.#newest >= this.#buckets) this.clear();
    else for (let next = this.#newest + 1; next <= bucket; next += 1) this.#expire(this.#indexOf(next));
    this.#newest = bucket;
    this.#newestIndex = this.#indexOf(bucket);
    this.#newestUntilMs = (bucket + 1) * this.#bucketMs;
  }

  #expire(index: number): void {
    for (let kind = 0; kind < this.#kinds; kind += 1) {
      this.#totals[kind]! -= this.#counts[index + kind]!;
      this.#counts[index + kind] = 0;
    }
  }

  #indexOf(bucket: number): number {
    return (((bucket % this.#buckets) + this.#buckets) % this.#buckets) * this.#kinds;
  }
}
