import { isUtf8 } from 'node:buffer';
import { DecodeError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';

/** A header of a record. */
export interface RecordHeader {
  /** Its name; bytes that are not UTF-8 show as U+FFFD. */
  readonly name: string;
  /** The bytes of the name, where they are not UTF-8. */
  readonly nameBytes?: Buffer;
  /** Kafka allows null. */
  readonly value: Buffer | null;
}

/** A record of a topic. Buffers are views of the answer it came in. */
export interface KafkaRecord {
  readonly offset: number;
  /** Milliseconds since the epoch, in decimal: the producer's clock, or the broker's if the topic is configured for it. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In the order of the record; a name may be there more than once. */
  readonly headers: readonly RecordHeader[];
}

/** The fields of a batch that apply to all its records. */
export interface RecordContext {
  readonly baseOffset: number;
  /** A number if that is exact. */
  readonly firstTimestamp: number | bigint;
  /** Set if the topic uses the broker's clock: the time of every record. */
  readonly appendTimestamp: string | undefined;
}

const noHeaders: readonly RecordHeader[] = [];

/** Reads the record at the reader's position. Headers are checked at once, but created only when they are read, because most never are. */
export function readRecord(reader: ByteReader, { baseOffset, firstTimestamp, appendTimestamp }: RecordContext): KafkaRecord {
  const length = reader.varint();
  if (length < 0 || length > reader.left) throw new DecodeError('bad-record', `a record of ${length} bytes has ${reader.left} left`);
  const end = reader.position + length;
  // Attributes, of which Kafka uses none.
  reader.skip(1);
  const delta = reader.varlong();
  const offset = baseOffset + reader.varint();
  const key = reader.varBytes();
  const value = reader.varBytes();
  const count = reader.varint();
  if (count < 0) throw new DecodeError('bad-record', `a record has ${count} headers`);
  const start = reader.position;
  for (let n = 0; n < count; n += 1) {
    const nameLength = reader.varint();
    if (nameLength < 0) throw new DecodeError('bad-record', 'a header has no name');
    reader.skip(nameLength);
    const valueLength = reader.varint();
    if (valueLength > 0) reader.skip(valueLength);
  }
  if (reader.position !== end) throw new DecodeError('bad-record', `a record of ${length} bytes takes ${length + reader.position - end}`);
  const timestamp = appendTimestamp ?? timestampOf(firstTimestamp, delta);
  return count === 0
    ? { offset, timestamp, key, value, headers: noHeaders }
    : new RecordWithHeaders(offset, timestamp, key, value, reader.bytes, start, count);
}

function timestampOf(first: number | bigint, delta: number | bigint): string {
  return typeof first === 'number' && typeof delta === 'number'
    ? String(first + delta)
    : String(BigInt.asIntN(64, BigInt(first) + BigInt(delta)));
}

class RecordWithHeaders implements KafkaRecord {
  readonly offset: number;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #count: number;
  #headers: readonly RecordHeader[] | undefined;

  constructor(offset: number, timestamp: string, key: Buffer | null, value: Buffer | null, bytes: Buffer, start: number, count: number) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.key = key;
    this.value = value;
    this.#bytes = bytes;
    this.#start = start;
    this.#count = count;
  }

  get headers(): readonly RecordHeader[] {
    this.#headers ??= readHeaders(new ByteReader(this.#bytes, this.#start), this.#count);
    return this.#headers;
  }
}

function readHeaders(reader: ByteReader, count: number): RecordHeader[] {
  return Array.from({ length: count }, () => {
    const nameBytes = reader.varBytes()!;
    const value = reader.varBytes();
    const name = nameBytes.toString('utf8');
    return isUtf8(nameBytes) ? { name, value } : { name, nameBytes, value };
  });
}

/** The value of the last header of a name, as Kafka's own clients choose it; undefined without one, or if it is null. */
export function lastHeader(headers: readonly RecordHeader[], name: string): Buffer | undefined {
  return headers.findLast((header) => header.name === name && header.nameBytes === undefined)?.value ?? undefined;
}
