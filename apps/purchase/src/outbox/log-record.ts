import { crc32c } from '@platformatic/kafka';

/** Checksum and length before each payload. */
export const recordHeadBytes = 8;
/** Largest payload in bytes. A larger length is damage, and must not lead to a read of its size. */
export const payloadBytesMax = 4 * 1024 * 1024;

const checksumBytes = 4;

/** One record as bytes: CRC32C and length, both 32 bits, little endian; then the payload. The checksum covers length and payload. */
export function encodeRecord(payload: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(recordHeadBytes + payload.length);
  record.writeUInt32LE(payload.length, checksumBytes);
  record.set(payload, recordHeadBytes);
  record.writeUInt32LE(checksumOf(record), 0);
  return record;
}

/** Bytes of the record at a place, as its length field says; undefined when the bytes end before that field does. */
export function recordBytesAt(bytes: Buffer, at: number): number | undefined {
  return bytes.length - at < recordHeadBytes ? undefined : recordHeadBytes + bytes.readUInt32LE(at + checksumBytes);
}

/**
 * Reads the record at a place.
 *
 * @returns the payload, a view; `short` when the bytes end before the record does; `damaged` when it is not a record
 */
export function decodeRecord(bytes: Buffer, at: number): Buffer | 'short' | 'damaged' {
  const recordBytes = recordBytesAt(bytes, at);
  if (recordBytes === undefined) return 'short';
  // A torn tail often holds zeros, so an empty record does not exist.
  if (recordBytes === recordHeadBytes || recordBytes > recordHeadBytes + payloadBytesMax) return 'damaged';
  if (at + recordBytes > bytes.length) return 'short';
  const record = bytes.subarray(at, at + recordBytes);
  return checksumOf(record) === record.readUInt32LE(0) ? record.subarray(recordHeadBytes) : 'damaged';
}

function checksumOf(record: Buffer): number {
  return crc32c(record.subarray(checksumBytes)) >>> 0;
}
