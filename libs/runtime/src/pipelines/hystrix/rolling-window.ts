interface Bucket<K> {
  readonly startMs: number;
  readonly counts: Map<K, number>;
  readonly latenciesMs: number[];
  seen: number;
  level: number;
}

/** Counters, latencies and the highest level of a gauge over the last seconds, in buckets. The memory is bounded for any traffic. */
export class RollingWindow<K extends string> {
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #bucketMs: number;
  readonly #bucketsMax: number;
  readonly #latenciesMax: number;
  readonly #buckets: Bucket<K>[] = [];

  /**
   * @param bucketMs Width of a bucket in milliseconds. Default 1000.
   * @param bucketsMax Number of buckets. Default 10, which gives Hystrix's window of 10 s.
   * @param latenciesMax Maximum number of latencies per bucket. Above it, the bucket keeps a fair sample. Default 100, as in Hystrix.
   * @param random Returns numbers in [0, 1) for that sample.
   */
  constructor(now: () => number, random: () => number, bucketMs = 1000, bucketsMax = 10, latenciesMax = 100) {
    this.#now = now;
    this.#random = random;
    this.#bucketMs = bucketMs;
    this.#bucketsMax = bucketsMax;
    this.#latenciesMax = latenciesMax;
  }

  /** Length of the window in milliseconds. */
  get lengthMs(): number {
    return this.#bucketMs * this.#bucketsMax;
  }

  /** Counts one event. */
  count(kind: K): void {
    const { counts } = this.#current();
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }

  /** Records one latency. */
  observe(latencyMs: number): void {
    const bucket = this.#current();
    bucket.seen += 1;
    if (bucket.latenciesMs.length < this.#latenciesMax) bucket.latenciesMs.push(latencyMs);
    else {
      const place = Math.floor(this.#random() * bucket.seen);
      if (place < this.#latenciesMax) bucket.latenciesMs[place] = latencyMs;
    }
  }

  /** Records a level of the gauge. */
  reach(level: number): void {
    const bucket = this.#current();
    bucket.level = Math.max(bucket.level, level);
  }

  /** Highest recorded level in the window; 0 without one. */
  highest(): number {
    this.#current();
    return Math.max(...this.#buckets.map(({ level }) => level));
  }

  /** Number of events of this kind in the window. */
  sum(kind: K): number {
    this.#current();
    return this.#buckets.reduce((sum, bucket) => sum + (bucket.counts.get(kind) ?? 0), 0);
  }

  /** Latencies in the window, ascending. */
  latenciesMs(): number[] {
    this.#current();
    return this.#buckets.flatMap((bucket) => bucket.latenciesMs).toSorted((a, b) => a - b);
  }

  #current(): Bucket<K> {
    const startMs = Math.floor(this.#now() / this.#bucketMs) * this.#bucketMs;
    const oldestMs = startMs - (this.#bucketsMax - 1) * this.#bucketMs;
    while (this.#buckets[0] !== undefined && this.#buckets[0].startMs < oldestMs) this.#buckets.shift();
    const last = this.#buckets.at(-1);
    if (last !== undefined && last.startMs >= startMs) return last;
    const bucket = { startMs, counts: new Map<K, number>(), latenciesMs: [], seen: 0, level: 0 };
    this.#buckets.push(bucket);
    return bucket;
  }
}

/** Percentile of sorted values by the nearest rank; 0 without values. */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] ?? 0;
}
