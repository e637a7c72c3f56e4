/**
 * How many bytes all lanes together may keep on disk before they land. Over the limit the lanes pause their partitions, and Kafka is
 * the queue; below four fifths of it they go on, so that a full spool does not flap.
 */
export class SpoolBudget {
  readonly bytesMax: number;
  readonly #onRoom: () => void;
  #bytes = 0;
  #full = false;

  /**
   * @param bytesMax the limit in bytes
   * @param onRoom called whenever there is room again
   */
  constructor(bytesMax: number, onRoom: () => void) {
    this.bytesMax = bytesMax;
    this.#onRoom = onRoom;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#full;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= this.bytesMax) this.#full = true;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#full || this.#bytes > this.bytesMax * 0.8) return;
    this.#full = false;
    this.#onRoom();
  }
}
