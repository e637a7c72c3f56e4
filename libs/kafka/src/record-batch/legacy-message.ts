import { crc32 } from 'node:zlib';
import { DecodeError } from '../errors.ts';
import { decompress } from './codecs.ts';
import type { KafkaRecord } from './record.ts';
import { batchBytesMax, batchPrefixBytes, type RecordsOfBatch } from './record-batch.ts';

const codecMask = 0x07;
const appendTimeFlag = 0x08;

/**
 * Decodes a message of magic 0 or 1, as brokers before Kafka 0.11 wrote them, or the messages in it where it is compressed.
 * Its offset is that of the last of them.
 *
 * @throws DecodeError when checksum, compression or lengths are not as the format wants them
 */
export function readLegacyMessage(message: Buffer): RecordsOfBatch {
  const outer = readMessage(message);
  if (outer.codec === 0) return { records: [outer.record], bytes: message.length };
  const nested = decompress(outer.codec, outer.record.value ?? Buffer.alloc(0), batchBytesMax);
  const messages: ReturnType<typeof readMessage>[] = [];
  for (let at = 0; at < nested.length;) {
    const end = at + batchPrefixBytes + (nested.length - at < batchPrefixBytes ? Number.NaN : nested.readInt32BE(at + 8));
    if (!(end > at && end <= nested.length)) throw new DecodeError('bad-record', 'a message ends after its batch');
    messages.push(readMessage(nested.subarray(at, end)));
    at = end;
  }
  // Offsets inside are absolute in magic 0 and count from 0 in magic 1.
  const shift = outer.magic === 0 ? 0 : outer.record.offset - (messages.at(-1)?.record.offset ?? 0);
  const records = messages.map(({ record, codec }) => {
    if (codec !== 0) throw new DecodeError('bad-record', 'a compressed message holds another one');
    return { ...record, offset: record.offset + shift, timestamp: outer.appendTime ? outer.record.timestamp : record.timestamp };
  });
  return { records, bytes: nested.length };
}

function readMessage(message: Buffer): {
  readonly magic: number;
  readonly codec: number;
  readonly appendTime: boolean;
  readonly record: KafkaRecord;
} {
  if (message.length < 26) throw new DecodeError('bad-header', `a message has ${message.length} bytes`);
  if (crc32(message.subarray(16)) !== message.readUInt32BE(12))
    throw new DecodeError('bad-checksum', 'its checksum is not that of its bytes');
  const magic = message[16]!;
  if (magic > 1) throw new DecodeError('unknown-format', `a message of format ${magic} is nested in an older one`);
  const attributes = message[17]!;
  let at = magic === 0 ? 18 : 26;
  const field = (): Buffer | null => {
    const length = at + 4 > message.length ? Number.NaN : message.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    if (!(at + length <= message.length)) throw new DecodeError('bad-record', 'a field ends after its message');
    at += length;
    return message.subarray(at - length, at);
  };
  const [key, value] = [field(), field()];
  const timestamp = magic === 0 ? '-1' : String(message.readBigInt64BE(18));
  return {
    magic,
    codec: attributes & codecMask,
    appendTime: (attributes & appendTimeFlag) !== 0,
    record: { offset: Number(message.readBigInt64BE(0)), timestamp, key, value, headers: [] },
  };
}
