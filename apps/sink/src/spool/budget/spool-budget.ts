/** Limits of the batches that all lanes together keep on disk. */
export interface SpoolLimits {
  /** Bytes on disk, open segments included, at which the partitions pause. */
  readonly bytesMax: number;
  /** Open segments at which the largest open batch is sealed. */
  readonly openSegmentsMax: number;
}

// Below four fifths of the limit the lanes resume, so that a full spool does not flap. Above it open batches are sealed, because Parquet
// takes an eighth of the space.
const crowdedFrom = 0.8;
// Smaller batches wait for their age limit. If every fetch sealed them, the last fifth of the spool would fill with hundreds of thousands
// of small files.
const worthSealingFrom = 0.01;

/**
 * Counts the bytes that all lanes together keep on disk before they land. When it is crowded, the largest open batches are sealed. When it
 * is full, the lanes pause their partitions, and Kafka is the queue.
 */
export class SpoolBudget {
  readonly limits: SpoolLimits;
  readonly #onRoom: () => void;
  #bytes = 0;
  #openSegments = 0;
  #full = false;

  /**
   * @param limits what may be on disk
   * @param onRoom called whenever there is room again
   */
  constructor(limits: SpoolLimits, onRoom: () => void) {
    this.limits = limits;
    this.#onRoom = onRoom;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get openSegments(): number {
    return this.#openSegments;
  }

  /** The spool is full: the lanes take no more records. */
  get full(): boolean {
    return this.#full;
  }

  /** The spool is nearly full. */
  get crowded(): boolean {
    return this.#bytes >= this.limits.bytesMax * crowdedFrom;
  }

  /** More segments are open than the limit allows. */
  get overOpen(): boolean {
    return this.#openSegments > this.limits.openSegmentsMax;
  }

  /** Whether sealing an open batch of this many raw bytes frees enough room. */
  isWorthSealing(openBytes: number): boolean {
    return openBytes >= this.limits.bytesMax * worthSealingFrom;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= this.limits.bytesMax) this.#full = true;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#full || this.#bytes > this.limits.bytesMax * crowdedFrom) return;
    this.#full = false;
    this.#onRoom();
  }

  /** Lines have become Parquet; a few of them become more bytes, not less. */
  exchange(before: number, after: number): void {
    if (after > before) this.add(after - before);
    else this.remove(before - after);
  }

  /** Counts segments as they are opened and, negative, as they are sealed or discarded. */
  opened(segments: number): void {
    this.#openSegments += segments;
  }
}
