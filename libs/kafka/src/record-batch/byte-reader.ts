import { DecodeError } from '../errors.ts';

/** Reads the integers of Kafka's record format from a buffer. Each method throws a `DecodeError` at the end of the buffer. */
export class ByteReader {
  readonly bytes: Buffer;
  position: number;
  readonly #end: number;

  constructor(bytes: Buffer, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.position;
  }

  /** A zigzag-encoded 32-bit integer. */
  varint(): number {
    const { bytes } = this;
    let value = 0;
    let position = this.position;
    for (let shift = 0; shift < 35; shift += 7) {
      if (position >= this.#end) throw endOfRecord();
      const byte = bytes[position]!;
      position += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return (value >>> 1) ^ -(value & 1);
      }
    }
    throw new DecodeError('bad-record', 'a number takes more than 5 bytes');
  }

  /** A zigzag-encoded 64-bit integer: a number if that is exact, otherwise a bigint. */
  varlong(): number | bigint {
    // Five bytes carry 35 bits, which a double holds: enough for a year of milliseconds.
    let value = 0;
    let scale = 1;
    let position = this.position;
    for (let count = 0; count < 5; count += 1) {
      if (position >= this.#end) throw endOfRecord();
      const byte = this.bytes[position]!;
      position += 1;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        this.position = position;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
    }
    return this.#longVarlong();
  }

  /** A length, followed by that number of bytes; null if the length is negative. Not copied. */
  varBytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.position;
    this.skip(length);
    return this.bytes.subarray(start, this.position);
  }

  skip(length: number): void {
    if (length > this.left) throw new DecodeError('bad-record', `a field of ${length} bytes has ${this.left} left`);
    this.position += length;
  }

  #longVarlong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.position >= this.#end) throw endOfRecord();
      const byte = this.bytes[this.position]!;
      this.position += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (BigInt.asUintN(64, value) >> 1n) ^ -(value & 1n));
    }
    throw new DecodeError('bad-record', 'a number takes more than 10 bytes');
  }
}

function endOfRecord(): DecodeError {
  return new DecodeError('bad-record', 'a record ends in the middle of a number');
}
