import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Answers above this size are compressed, in bytes. The receipt of a single event is shorter, and compressing it would gain nothing. */
const plainBytesMax = 2048;
/** Longest answer that is unpacked, in bytes: the answer to a full batch in which each item failed has less. */
const answerBytesMax = 64 * 1024 * 1024;
/** First byte of every zstd frame; JSON never begins with it. */
const zstdFirstByte = 0x28;

/** The bytes that keep an answer: JSON, compressed above 2 KiB. */
export async function encodeReceipt(answer: unknown): Promise<Buffer> {
  const json = Buffer.from(JSON.stringify(answer));
  return json.length > plainBytesMax ? await compress(json) : json;
}

/** The answer that {@link encodeReceipt} has packed. */
export async function decodeReceipt(bytes: Buffer): Promise<unknown> {
  const json = bytes[0] === zstdFirstByte ? await decompress(bytes, { maxOutputLength: answerBytesMax }) : bytes;
  return JSON.parse(json.toString()) as unknown;
}
