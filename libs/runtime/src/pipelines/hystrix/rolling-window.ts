interface Bucket<K> {
  readonly startMs: number;
  readonly counts: Map<K, number>;
  readonly latenciesMs: number[];
  seen: number;
  level: number;
}

/** Counters of the last seconds, bucket by bucket, the latencies of the same time, and the highest level of what rises and falls. Memory is bounded, whatever the traffic. */
export class RollingWindow<K extends string> {
  private readonly buckets: Bucket<K>[] = [];

  /**
   * @param bucketMs Width of a bucket in milliseconds. Default 1000.
   * @param bucketsMax Number of buckets. Default 10, so that the window is Hystrix's 10 s.
   * @param latenciesMax Most latencies kept for each bucket. Default 100, as Hystrix; beyond them a fair sample is kept.
   * @param random Numbers in [0, 1) for that sample.
   */
  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
    private readonly bucketMs = 1000,
    private readonly bucketsMax = 10,
    private readonly latenciesMax = 100,
  ) {}

  /** The time that it covers, in milliseconds. */
  get lengthMs(): number {
    return this.bucketMs * this.bucketsMax;
  }

  /** Counts one thing. */
  count(kind: K): void {
    const { counts } = this.current();
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }

  /** Remembers how long one thing took. */
  observe(latencyMs: number): void {
    const bucket = this.current();
    bucket.seen += 1;
    if (bucket.latenciesMs.length < this.latenciesMax) bucket.latenciesMs.push(latencyMs);
    else {
      const place = Math.floor(this.random() * bucket.seen);
      if (place < this.latenciesMax) bucket.latenciesMs[place] = latencyMs;
    }
  }

  /** Remembers that what rises and falls has stood here. */
  reach(level: number): void {
    const bucket = this.current();
    bucket.level = Math.max(bucket.level, level);
  }

  /** Highest level within the window; 0 when none was told. */
  highest(): number {
    this.current();
    return Math.max(...this.buckets.map(({ level }) => level));
  }

  /** How often this was counted within the window. */
  sum(kind: K): number {
    this.current();
    return this.buckets.reduce((sum, bucket) => sum + (bucket.counts.get(kind) ?? 0), 0);
  }

  /** Latencies within the window, ascending. */
  latenciesMs(): number[] {
    this.current();
    return this.buckets.flatMap((bucket) => bucket.latenciesMs).toSorted((a, b) => a - b);
  }

  private current(): Bucket<K> {
    const startMs = Math.floor(this.now() / this.bucketMs) * this.bucketMs;
    const oldestMs = startMs - (this.bucketsMax - 1) * this.bucketMs;
    while (this.buckets[0] !== undefined && this.buckets[0].startMs < oldestMs) this.buckets.shift();
    const last = this.buckets.at(-1);
    if (last !== undefined && last.startMs >= startMs) return last;
    const bucket = { startMs, counts: new Map<K, number>(), latenciesMs: [], seen: 0, level: 0 };
    this.buckets.push(bucket);
    return bucket;
  }
}

/** Value below which `percent` of the sorted values lie (nearest rank); 0 when there are none. */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] ?? 0;
}
