/** Limits of what all lanes together keep on disk. */
export interface SpoolLimits {
  /** Bytes on disk, open segments included, at which the partitions pause. */
  readonly bytesMax: number;
  /** Open segments at which the largest open batch is sealed. */
  readonly openSegmentsMax: number;
}

// Below four fifths of the limit the lanes go on, so that a full spool does not flap; above it open batches are sealed, for what is
// encoded takes an eighth of the room.
const crowdedFrom = 0.8;

/**
 * What all lanes together keep on disk before it lands. Crowded, the largest open batches are sealed; full, the lanes pause their
 * partitions, and Kafka is the queue.
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

  /** No more is taken. */
  get full(): boolean {
    return this.#full;
  }

  /** Something open should be sealed. */
  get crowded(): boolean {
    return this.#bytes >= this.limits.bytesMax * crowdedFrom || this.#openSegments > this.limits.openSegmentsMax;
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

  /** Counts segments as they are opened and, negative, as they are sealed or discarded. */
  opened(segments: number): void {
    this.#openSegments += segments;
  }
}
