import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompressFrameSync } from 'lz4-napi';
import snappy from 'snappy';
import { DecodeError } from '../errors.ts';
import { lz4BytesMax } from './lz4-frame.ts';
import { snappyBlocks } from './snappy-blocks.ts';

/** The compressions of Kafka's record format, by their number in a batch's attributes. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

type Decompress = (bytes: Buffer, bytesMax: number) => Buffer;

const decompressors: readonly Decompress[] = [
  (bytes) => bytes,
  (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  (bytes, bytesMax) => {
    const { blocks, bytes: total } = snappyBlocks(bytes);
    if (total > bytesMax) throw tooLarge(bytesMax);
    return Buffer.concat(blocks.map((block) => snappy.uncompressSync(block, { asBuffer: true }) as Buffer));
  },
  (bytes, bytesMax) => {
    if (lz4BytesMax(bytes) > bytesMax) throw tooLarge(bytesMax);
    return decompressFrameSync(bytes);
  },
  (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
];

/**
 * Decompresses the records of a batch.
 *
 * @param codec the lowest three bits of the batch's attributes
 * @param bytesMax limit of the decompressed bytes
 * @throws DecodeError `unknown-codec`, `bad-compression`, `too-large`
 */
export function decompress(codec: number, bytes: Buffer, bytesMax: number): Buffer {
  const run = decompressors[codec];
  if (run === undefined) throw new DecodeError('unknown-codec', `unknown compression codec ${codec}`);
  try {
    return run(bytes, bytesMax);
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new DecodeError('bad-compression', `its ${codecNames[codec]} compression is corrupt: ${(cause as Error).message}`, { cause });
  }
}

function tooLarge(bytesMax: number): DecodeError {
  return new DecodeError('too-large', `its records take more than ${bytesMax} bytes once decompressed`);
}
