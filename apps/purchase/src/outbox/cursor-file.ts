import { crc32c } from '@platformatic/kafka';
import type { LogDirectory, LogFile } from './log-file-system.ts';

const name = 'cursor';
const slotBytes = 20;

/**
 * The read pointer: the position up to which every event is in Kafka. Two slots are written in turn, each with a sequence number and a
 * checksum, so that a torn write leaves the older one.
 */
export class CursorFile {
  readonly #file: LogFile;
  #sequence: number;

  private constructor(file: LogFile, sequence: number) {
    this.#file = file;
    this.#sequence = sequence;
  }

  /**
   * Opens the pointer, or creates it.
   *
   * @returns the file, and its position; undefined when no slot can be read
   */
  static async open(directory: LogDirectory): Promise<{ readonly cursor: CursorFile; readonly position: number | undefined }> {
    const exists = (await directory.list()).some((file) => file.name === name);
    const file = exists ? await directory.open(name) : await directory.create(name);
    if (!exists) await directory.sync();
    const bytes = await file.read(0, 2 * slotBytes);
    const slots = [0, slotBytes].flatMap((at) => readSlot(bytes.subarray(at, at + slotBytes)) ?? []);
    const [newest] = slots.toSorted((a, b) => b.sequence - a.sequence);
    return { cursor: new CursorFile(file, newest?.sequence ?? 0), position: newest?.position };
  }

  /** Writes the position and makes it durable. */
  async write(position: number): Promise<void> {
    const sequence = this.#sequence + 1;
    const slot = Buffer.alloc(slotBytes);
    slot.writeBigUInt64LE(BigInt(sequence), 0);
    slot.writeBigUInt64LE(BigInt(position), 8);
    slot.writeUInt32LE(crc32c(slot.subarray(0, 16)) >>> 0, 16);
    await this.#file.write(slot, (sequence % 2) * slotBytes);
    await this.#file.sync();
    this.#sequence = sequence;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function readSlot(slot: Buffer): { readonly sequence: number; readonly position: number } | undefined {
  if (slot.length < slotBytes || slot.readUInt32LE(16) !== crc32c(slot.subarray(0, 16)) >>> 0) return undefined;
  const sequence = Number(slot.readBigUInt64LE(0));
  // A slot of zeros has the checksum of zeros in some implementations; the first sequence number is 1.
  return sequence === 0 ? undefined : { sequence, position: Number(slot.readBigUInt64LE(8)) };
}
