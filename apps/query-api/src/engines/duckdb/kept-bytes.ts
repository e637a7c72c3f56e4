/** Bytes under names, up to a total size. The least recently used entry makes room. */
export class KeptBytes {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether an entry of this size can be kept at all. */
  holdsAtMost(bytes: number): boolean {
    return bytes <= this.#bytesMax;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): Uint8Array | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined) {
      this.#entries.delete(name);
      this.#entries.set(name, entry);
    }
    return entry;
  }

  set(name: string, entry: Uint8Array): void {
    this.#remove(name);
    if (entry.byteLength > this.#bytesMax) return;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + entry.byteLength <= this.#bytesMax) break;
      this.#remove(oldest);
    }
    this.#entries.set(name, entry);
    this.#bytes += entry.byteLength;
  }

  #remove(name: string): void {
    this.#bytes -= this.#entries.get(name)?.byteLength ?? 0;
    this.#entries.delete(name);
  }
}
