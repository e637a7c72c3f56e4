import { createHash } from 'node:crypto';

const wordsPerId = 4;
/** Places of a UUID's digits in its text, by word. */
const digitsAt = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [9, 10, 11, 12, 14, 15, 16, 17],
  [19, 20, 21, 22, 24, 25, 26, 27],
  [28, 29, 30, 31, 32, 33, 34, 35],
] as const;
const hyphensAt = [8, 13, 18, 23] as const;
const hyphen = 45;
/** Value of a hexadecimal digit by its code; 255 for any other character. */
const digitOf = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value < 0 ? 255 : value;
});
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
    if (this.offsets === 0) return false;
    this.#read(eventId);
    for (let slot = this.#heads[this.#hash()]!; slot !== 0; slot = this.#following[slot - 1]!) {
      if (!this.#has(slot - 1)) continue;
      const kept = (this.#laps[slot - 1]! - 1) * this.#slots + slot - 1;
      if (kept < offset && offset - kept <= this.offsets) return true;
    }
    return false;
  }

  /** Adds the id of a kept row, and forgets the id of the row two windows before it. */
  add(eventId: string, offset: number): void {
    if (this.offsets === 0) return;
    this.#makeRoom(offset);
    this.#read(eventId);
    this.#insert(offset);
  }

  /** The rows kept in [from, to), as {@link addBytes} takes them: 4 bytes of offset above `from`, 16 of the id. */
  bytes(from: number, to: number): Buffer {
    const rows: Buffer[] = [];
    for (let offset = from; offset < to; offset += 1) {
      const slot = offset % this.#slots;
      if (this.#laps[slot] !== 1 + Math.floor(offset / this.#slots)) continue;
      const row = Buffer.allocUnsafe(bytesPerRow);
      row.writeUInt32LE(offset - from, 0);
      for (let word = 0; word < wordsPerId; word += 1) row.writeUInt32LE(this.#ids[slot * wordsPerId + word]!, 4 + word * 4);
      rows.push(row);
    }
    return Buffer.concat(rows);
  }

  /** Adds rows from the output of {@link bytes}, at offset `least` or above. */
  addBytes(rows: Buffer, from: number, least: number): void {
    for (let at = 0; at + bytesPerRow <= rows.byteLength; at += bytesPerRow) {
      const offset = from + rows.readUInt32LE(at);
      if (offset < least) continue;
      this.#makeRoom(offset);
      for (let word = 0; word < wordsPerId; word += 1) this.#words[word] = rows.readUInt32LE(at + 4 + word * 4);
      this.#insert(offset);
    }
  }

  #makeRoom(offset: number): void {
    const slot = offset % this.#slots;
    if (this.#laps[slot] !== 0) this.#remove(slot);
    this.#to = Math.max(this.#to, offset + 1);
  }

  #insert(offset: number): void {
    const slot = offset % this.#slots;
    this.#ids.set(this.#words, slot * wordsPerId);
    this.#laps[slot] = 1 + Math.floor(offset / this.#slots);
    const hash = this.#hash();
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
    this.#words.set(this.#ids.subarray(slot * wordsPerId, (slot + 1) * wordsPerId));
    const hash = this.#hash();
    this.#laps[slot] = 0;
    if (this.#heads[hash] === slot + 1) {
      this.#heads[hash] = this.#following[slot]!;
      return;
    }
    let before = this.#heads[hash]! - 1;
    while (this.#following[before] !== slot + 1) before = this.#following[before]! - 1;
    this.#following[before] = this.#following[slot]!;
  }

  #has(slot: number): boolean {
    for (let word = 0; word < wordsPerId; word += 1) if (this.#ids[slot * wordsPerId + word] !== this.#words[word]) return false;
    return true;
  }

  // Random UUIDs differ everywhere, time-ordered ones in their last words.
  #hash(): number {
    const mixed =
      Math.imul(this.#words[0]! ^ Math.imul(this.#words[3]!, 0x9e37_79b1), 0x85eb_ca6b) ^
      this.#words[1]! ^
      Math.imul(this.#words[2]!, 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 15)) >>> 0) & (this.#heads.length - 1);
  }

  #read(eventId: string): void {
    if (readUuid(eventId, this.#words)) return;
    const digest = createHash('sha256').update(eventId).digest();
    for (let word = 0; word < wordsPerId; word += 1) this.#words[word] = digest.readUInt32LE(word * 4);
  }
}

/** Reads a UUID into four words. Returns false, with any words, for another text. */
function readUuid(text: string, words: Uint32Array): boolean {
  if (text.length !== 36) return false;
  for (const at of hyphensAt) if (text.charCodeAt(at) !== hyphen) return false;
  for (let word = 0; word < wordsPerId; word += 1) {
    let value = 0;
    for (const at of digitsAt[word]!) {
      const code = text.charCodeAt(at);
      const digit = code < 128 ? digitOf[code]! : 255;
      if (digit === 255) return false;
      value = (value << 4) | digit;
    }
    words[word] = value;
  }
  return true;
}
