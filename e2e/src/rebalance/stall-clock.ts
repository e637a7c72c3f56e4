/**
 * Measures for each partition how long no sink has taken a new event, while events arrive for all of them. Times are milliseconds of one
 * clock.
 */
export class StallClock {
  readonly #takenTo = new Map<number, number>();
  readonly #movedAt = new Map<number, number>();
  readonly #longest = new Map<number, number>();

  /** Records the offset up to which a sink has read a partition. A new owner that reads earlier events again does not count as a move. */
  read(partition: number, takenTo: number, now: number): void {
    if (takenTo <= (this.#takenTo.get(partition) ?? 0)) return;
    this.#count(partition, now);
    this.#takenTo.set(partition, takenTo);
    this.#movedAt.set(partition, now);
  }

  /** Partitions of which something was taken after `since`, ascending. */
  movedSince(since: number): number[] {
    return [...this.#movedAt].flatMap(([partition, at]) => (at > since ? [partition] : [])).toSorted((a, b) => a - b);
  }

  /**
   * The longest stall of each partition since the last call, including a stall in progress. A stall that continues counts in full at the
   * next call, too.
   */
  takeLongest(now: number): ReadonlyMap<number, number> {
    for (const partition of this.#movedAt.keys()) this.#count(partition, now);
    const longest = new Map([...this.#longest].toSorted(([a], [b]) => a - b));
    this.#longest.clear();
    return longest;
  }

  #count(partition: number, now: number): void {
    const movedAt = this.#movedAt.get(partition);
    if (movedAt !== undefined) this.#longest.set(partition, Math.max(this.#longest.get(partition) ?? 0, now - movedAt));
  }
}
