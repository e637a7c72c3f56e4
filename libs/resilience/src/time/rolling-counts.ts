/**
 * Counters over a sliding window of equal buckets. Totals are kept up to date, so counting and reading cost the same whatever the window holds.
 * Times are milliseconds of any count that does not step back; one that does is taken for the same moment.
 */
export class RollingCounts {
  private readonly counts: Float64Array;
  private readonly totals: Float64Array;
  /** Number of the newest bucket since the count's origin. */
  private newest = Number.NEGATIVE_INFINITY;
  /** Where the newest bucket's counters begin. */
  private newestPlace = 0;
  /** When the next bucket begins: until then nothing has to be computed. */
  private newestUntilMs = Number.NEGATIVE_INFINITY;
  private readonly bucketMs: number;

  /** @param kinds How many counters there are. */
  constructor(
    windowMs: number,
    private readonly buckets: number,
    private readonly kinds: number,
  ) {
    this.bucketMs = windowMs / buckets;
    this.counts = new Float64Array(buckets * kinds);
    this.totals = new Float64Array(kinds);
  }

  /** Counts `amount` of a kind now. */
  add(kind: number, nowMs: number, amount = 1): void {
    this.roll(nowMs);
    this.counts[this.newestPlace + kind]! += amount;
    this.totals[kind]! += amount;
  }

  /** Sum of a kind within the window that ends now. */
  total(kind: number, nowMs: number): number {
    this.roll(nowMs);
    return this.totals[kind]!;
  }

  /** Forgets everything. */
  clear(): void {
    this.counts.fill(0);
    this.totals.fill(0);
  }

  private roll(nowMs: number): void {
    if (nowMs < this.newestUntilMs) return;
    const bucket = Math.floor(nowMs / this.bucketMs);
    if (bucket - this.newest >= this.buckets) this.clear();
    else for (let next = this.newest + 1; next <= bucket; next += 1) this.empty(this.place(next));
    this.newest = bucket;
    this.newestPlace = this.place(bucket);
    this.newestUntilMs = (bucket + 1) * this.bucketMs;
  }

  private empty(place: number): void {
    for (let kind = 0; kind < this.kinds; kind += 1) {
      this.totals[kind]! -= this.counts[place + kind]!;
      this.counts[place + kind] = 0;
    }
  }

  private place(bucket: number): number {
    return (((bucket % this.buckets) + this.buckets) % this.buckets) * this.kinds;
  }
}
