import { copyId, hashOfId, isSameId, readIdWords, wordsPerId } from './ids/id-words.ts';

const bytesPerRow = 4 + wordsPerId * 4;

/**
 * The event ids of the rows kept among a lane's last offsets. An id is a duplicate when a kept row at most `offsets` before it has the
 * same id. The window counts offsets and uses no clock. So a replay decides as the first reading did, however the log is cut into batches.
 *
 * Ids are 128 bits in flat arrays, a ring by offset with a hash index over it. They take 28 bytes per offset, whatever their form. The ring
 * is twice as long as the window: 7 MiB for the default of 131,072. So a lane that read ahead, and lost that range, still knows the landed
 * rows.
 */
export class DedupWindow {
  /** Length of the window in offsets; 0 keeps every row. */
  readonly offsets: number;
  readonly #slots: number;
  #ids = new Uint32Array(0);
  /** `1 + floor(offset / slots)` of the row in a slot; 0 is an empty slot. */
  #laps = new Uint32Array(0);
  /** Next slot of the same hash, plus 1. */
  #following = new Uint32Array(0);
  /** First slot of a hash, plus 1. */
  #heads = new Uint32Array(0);
  readonly #words = new Uint32Array(wordsPerId);
  /** The offsets whose kept rows are known. */
  #from = 0;
  #to = 0;

  constructor(offsets: number) {
    this.offsets = offsets;
    this.#slots = 2 * offsets;
    this.forgetAll(0);
  }

  /** The offset up to which every kept row of the window is known. */
  get knownTo(): number {
    return this.#to;
  }

  /** Whether every kept row among the last {@link offsets} before `to` is known. */
  covers(to: number): boolean {
    return (
      this.offsets > 0 && this.#from <= Math.max(0, to - this.offsets) && to <= this.#to && this.#to - this.#slots <= to - this.offsets
    );
  }

  /**
   * Forgets every row from `landed` on. After a lost race those rows are not in the table; landed rows are, and stay there. If the landed
   * rows are not known over the whole length of the window, everything is forgotten.
   */
  forgetFrom(landed: number): void {
    if (!this.covers(landed)) {
      this.forgetAll(Math.max(0, landed - this.offsets));
      return;
    }
    for (let offset = landed; offset < this.#to; offset += 1) {
      const slot = offset % this.#slots;
      if (this.#laps[slot] === 1 + Math.floor(offset / this.#slots)) this.#remove(slot);
    }
    this.#to = landed;
  }

  /** Whether a kept row at most {@link offsets} before `offset` has this id. */
  holds(eventId: string, offset: number): boolean {
    readIdWords(eventId, this.#words, 0);
    return this.holdsId(this.#words, 0, offset);
  }

  /** As {@link holds}, for the id at a position of words. */
  holdsId(words: Uint32Array, at: number, offset: number): boolean {
    if (this.offsets === 0) return false;
    for (let slot = this.#heads[this.#hash(words, at)]!; slot !== 0; slot = this.#following[slot - 1]!) {
      if (!isSameId(this.#ids, (slot - 1) * wordsPerId, words, at)) continue;
      const kept = (this.#laps[slot - 1]! - 1) * this.#slots + slot - 1;
      if (kept < offset && offset - kept <= this.offsets) return true;
    }
    return false;
  }

  /** Adds the id of a kept row, and forgets the id of the row two windows before it. */
  add(eventId: string, offset: number): void {
    readIdWords(eventId, this.#words, 0);
    this.addId(this.#words, 0, offset);
  }

  /** As {@link add}, for the id at a position of words. */
  addId(words: Uint32Array, at: number, offset: number): void {
    if (this.offsets === 0) return;
    this.#makeRoom(offset);
    this.#insert(words, at, offset);
  }

  /** The rows kept in [from, to), as {@link addBytes} takes them: 4 bytes of offset above `from`, 16 of the id. */
  bytes(from: number, to: number): Buffer {
    // One buffer for all: a buffer for each row of a full window would block the event loop for tens of milliseconds.
    const rows = Buffer.allocUnsafe(Math.min(to - from, this.#slots) * bytesPerRow);
    let end = 0;
    for (let offset = from; offset < to; offset += 1) {
      const slot = offset % this.#slots;
      if (this.#laps[slot] !== 1 + Math.floor(offset / this.#slots)) continue;
      end = rows.writeUInt32LE(offset - from, end);
      for (let word = 0; word < wordsPerId; word += 1) end = rows.writeUInt32LE(this.#ids[slot * wordsPerId + word]!, end);
    }
    return rows.subarray(0, end);
  }

  /** Adds rows from the output of {@link bytes}, at offset `least` or above. */
  addBytes(rows: Buffer, from: number, least: number): void {
    for (let at = 0; at + bytesPerRow <= rows.byteLength; at += bytesPerRow) {
      const offset = from + rows.readUInt32LE(at);
      if (offset < least) continue;
      this.#makeRoom(offset);
      for (let word = 0; word < wordsPerId; word += 1) this.#words[word] = rows.readUInt32LE(at + 4 + word * 4);
      this.#insert(this.#words, 0, offset);
    }
  }

  #makeRoom(offset: number): void {
    const slot = offset % this.#slots;
    if (this.#laps[slot] !== 0) this.#remove(slot);
    this.#to = Math.max(this.#to, offset + 1);
  }

  #insert(words: Uint32Array, at: number, offset: number): void {
    const slot = offset % this.#slots;
    copyId(words, at, this.#ids, slot * wordsPerId);
    this.#laps[slot] = 1 + Math.floor(offset / this.#slots);
    const hash = this.#hash(words, at);
    this.#following[slot] = this.#heads[hash]!;
    this.#heads[hash] = slot + 1;
  }

  /** Marks the offsets up to `to` as known, whether they hold kept rows or not. */
  passed(to: number): void {
    this.#to = Math.max(this.#to, to);
  }

  /** The next rows start at `from`. If that leaves a hole, forgets everything before it. */
  startAt(from: number): void {
    if (from > this.#to) this.forgetAll(from);
  }

  /** Forgets everything; the next rows start at `from`. */
  forgetAll(from: number): void {
    this.#ids = new Uint32Array(this.#slots * wordsPerId);
    this.#laps = new Uint32Array(this.#slots);
    this.#following = new Uint32Array(this.#slots);
    this.#heads = new Uint32Array(this.#slots === 0 ? 0 : 2 ** Math.ceil(Math.log2(this.#slots)));
    this.#from = from;
    this.#to = from;
  }

  #remove(slot: number): void {
    const hash = this.#hash(this.#ids, slot * wordsPerId);
    this.#laps[slot] = 0;
    if (this.#heads[hash] === slot + 1) {
      this.#heads[hash] = this.#following[slot]!;
      return;
    }
    let before = this.#heads[hash]! - 1;
    while (this.#following[before] !== slot + 1) before = this.#following[before]! - 1;
    this.#following[before] = this.#following[slot]!;
  }

  #hash(words: Uint32Array, at: number): number {
    return hashOfId(words, at) & (this.#heads.length - 1);
  }
}
