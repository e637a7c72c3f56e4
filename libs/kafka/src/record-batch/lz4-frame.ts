import { DecodeError } from '../errors.ts';

// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
const magic = 0x184d2204;
const contentSizeFlag = 0x08;
const contentChecksumFlag = 0x04;
const blockChecksumFlag = 0x10;
const dictionaryFlag = 0x01;

/** LZ4 expands one byte to at most 255 bytes. */
const ratioMax = 255;

/**
 * Reads an upper bound of the decompressed size of an LZ4 frame from its headers. The codec itself has no limit.
 *
 * @throws DecodeError `bad-compression` when the bytes are not a complete frame
 */
export function lz4BytesMax(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== magic) throw corrupt('there is no frame');
  const flags = bytes[4]!;
  const blockBytesMax = 4 ** ((bytes[5]! >> 4) & 7) * 256;
  let at = 6 + ((flags & contentSizeFlag) === 0 ? 0 : 8) + ((flags & dictionaryFlag) === 0 ? 0 : 4) + 1;
  const checksumBytes = (flags & blockChecksumFlag) === 0 ? 0 : 4;
  let total = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw corrupt('it has no end');
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size === 0) break;
    // The highest bit marks a block that is stored as it is.
    const length = size & 0x7fffffff;
    total += size > 0x7fffffff ? length : Math.min(blockBytesMax, length * ratioMax);
    at += length + checksumBytes;
  }
  if (at + ((flags & contentChecksumFlag) === 0 ? 0 : 4) > bytes.length) throw corrupt('it has no end');
  return total;
}

function corrupt(what: string): DecodeError {
  return new DecodeError('bad-compression', `its lz4 compression is corrupt: ${what}`);
}
