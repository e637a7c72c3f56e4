import { DecodeError } from '../errors.ts';

// snappy-java's stream format: https://github.com/xerial/snappy-java/blob/master/src/main/java/org/xerial/snappy/SnappyCodec.java
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const xerialHeaderBytes = 16;

/** The raw snappy blocks of compressed bytes, and their declared decompressed size. */
export interface SnappyBlocks {
  readonly blocks: readonly Buffer[];
  readonly bytes: number;
}

/** Splits snappy bytes into raw blocks. Java clients frame them as snappy-java does, librdkafka and others send one raw block. */
export function snappyBlocks(bytes: Buffer): SnappyBlocks {
  const framed = bytes.length >= xerialHeaderBytes && bytes.subarray(0, xerialMagic.length).equals(xerialMagic);
  if (!framed) return { blocks: [bytes], bytes: lengthOf(bytes) };
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = xerialHeaderBytes; at < bytes.length;) {
    const length = at + 4 <= bytes.length ? bytes.readInt32BE(at) : -1;
    if (length < 0 || length > bytes.length - at - 4)
      throw new DecodeError('bad-compression', 'its snappy compression is corrupt: a block ends after the batch');
    const block = bytes.subarray(at + 4, at + 4 + length);
    blocks.push(block);
    total += lengthOf(block);
    at += 4 + length;
  }
  return { blocks, bytes: total };
}

// A raw block begins with its decompressed length.
function lengthOf(block: Buffer): number {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  throw new DecodeError('bad-compression', 'its snappy compression is corrupt: a block has no length');
}
