import type { Readable } from 'node:stream';
import { KeptBytes } from './kept-bytes.ts';
import type { LakeFile } from './lake-file.ts';

/** Reads the bytes [from, to) of a file from S3. */
export type ReadRange = (file: LakeFile, from: number, to: number, signal: AbortSignal) => Promise<Readable>;

/** Files up to this size are read whole: one GET then answers every read of the file. */
const wholeFileBytesMax = 256 * 1024;
/** Largest range of a larger file that is kept: a footer, or a small column. */
const keptRangeBytesMax = 64 * 1024;
/** Reads ahead that are under way at once, for all statements. */
const readsAheadMax = 16;

/** Settings of {@link FileReads}. */
export interface FileReadSettings {
  /** Memory for bytes that are kept between statements, in bytes. 0 keeps none. */
  readonly keptBytesMax: number;
  /** Time after which a read of something that is kept has failed, in milliseconds. */
  readonly readMsMax: number;
}

/**
 * Reads files of the lake for all statements. Small files, and small ranges of large ones, are kept in memory: files never change. A
 * statement reaches kept bytes only through the files that it was granted.
 */
export class FileReads {
  readonly #readRange: ReadRange;
  readonly #readMsMax: number;
  readonly #kept: KeptBytes;
  readonly #underWay = new Map<string, Promise<Uint8Array>>();
  #readsAhead = 0;

  constructor(readRange: ReadRange, { keptBytesMax, readMsMax }: FileReadSettings) {
    this.#readRange = readRange;
    this.#readMsMax = readMsMax;
    this.#kept = new KeptBytes(keptBytesMax);
  }

  /** The bytes [from, to) of a file. An aborted call ends the read, unless the bytes are to be kept. */
  async read(file: LakeFile, from: number, to: number, signal: AbortSignal): Promise<Uint8Array | Readable> {
    if (file.bytes <= wholeFileBytesMax) return (await this.#keep(file, 0, file.bytes)).subarray(from, to);
    if (to - from <= keptRangeBytesMax) return await this.#keep(file, from, to);
    return await this.#readRange(file, from, to, signal);
  }

  /** Begins to read the small ones of these files: DuckDB reads one file after the other, and would wait for each. */
  ahead(files: readonly LakeFile[]): void {
    for (const file of files) {
      if (this.#readsAhead >= readsAheadMax || !this.#kept.holdsAtMost(file.bytes)) return;
      if (file.bytes > wholeFileBytesMax || this.#has(nameOf(file, 0, file.bytes))) continue;
      this.#readsAhead += 1;
      void this.#keep(file, 0, file.bytes)
        // The read that needs the file tries again.
        .catch(() => undefined)
        .finally(() => (this.#readsAhead -= 1));
    }
  }

  #has(name: string): boolean {
    return this.#underWay.has(name) || this.#kept.has(name);
  }

  async #keep(file: LakeFile, from: number, to: number): Promise<Uint8Array> {
    const name = nameOf(file, from, to);
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return await underWay;
    // Several statements may wait for this read, so it does not end with one of them.
    const reading = this.#readAll(file, from, to, AbortSignal.timeout(this.#readMsMax)).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, reading);
    const bytes = await reading;
    this.#kept.set(name, bytes);
    return bytes;
  }

  async #readAll(file: LakeFile, from: number, to: number, signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#readRange(file, from, to, signal)) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== to - from) throw new Error(`S3 sent ${bytes.length} bytes of ${to - from}.`);
    return bytes;
  }
}

function nameOf({ bucket, key, bytes }: LakeFile, from: number, to: number): string {
  return JSON.stringify([bucket, key, bytes, from, to]);
}
