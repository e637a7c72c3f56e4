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

/**
 * Reads the record at the reader's position. Headers are checked at once. Buffers, headers and the text of the timestamp are created only
 * when they are read, because most never are.
 */
export function readRecord(reader: ByteReader, context: RecordContext): KafkaRecord {
  const length = reader.varint();
  if (length < 0 || length > reader.left) throw new DecodeError('bad-record', `a record of ${length} bytes has ${reader.left} left`);
  const end = reader.position + length;
  // Attributes, of which Kafka uses none.
  reader.skip(1);
  const delta = reader.varlong();
  const offset = context.baseOffset + reader.varint();
  const keyLength = reader.varint();
  const keyFrom = reader.position;
  if (keyLength > 0) reader.skip(keyLength);
  const valueLength = reader.varint();
  const valueFrom = reader.position;
  if (valueLength > 0) reader.skip(valueLength);
  const headers = reader.varint();
  if (headers < 0) throw new DecodeError('bad-record', `a record has ${headers} headers`);
  const headersFrom = reader.position;
  for (let n = 0; n < headers; n += 1) {
    const nameLength = reader.varint();
    if (nameLength < 0) throw new DecodeError('bad-record', 'a header has no name');
    reader.skip(nameLength);
    const headerLength = reader.varint();
    if (headerLength > 0) reader.skip(headerLength);
  }
  if (reader.position !== end) throw new DecodeError('bad-record', `a record of ${length} bytes takes ${length + reader.position - end}`);
  return new PlacedRecord(offset, reader.bytes, context, delta, keyFrom, keyLength, valueFrom, valueLength, headersFrom, headers);
}

/** A record by its place in the bytes of its batch. */
export class PlacedRecord implements KafkaRecord {
  readonly offset: number;
  /** The bytes around the record. */
  readonly bytes: Buffer;
  /** Where the value begins in the bytes. */
  readonly valueFrom: number;
  /** Bytes of the value; negative for null. */
  readonly valueLength: number;
  readonly #context: RecordContext;
  readonly #delta: number | bigint;
  readonly #keyFrom: number;
  readonly #keyLength: number;
  readonly #headersFrom: number;
  readonly #headerCount: number;
  #headers: readonly RecordHeader[] | undefined;

  constructor(
    offset: number,
    bytes: Buffer,
    context: RecordContext,
    delta: number | bigint,
    keyFrom: number,
    keyLength: number,
    valueFrom: number,
    valueLength: number,
    headersFrom: number,
    headerCount: number,
  ) {
    this.offset = offset;
    this.bytes = bytes;
    this.valueFrom = valueFrom;
    this.valueLength = valueLength;
    this.#context = context;
    this.#delta = delta;
    this.#keyFrom = keyFrom;
    this.#keyLength = keyLength;
    this.#headersFrom = headersFrom;
    this.#headerCount = headerCount;
  }

  get timestamp(): string {
    const { appendTimestamp, firstTimestamp } = this.#context;
    return appendTimestamp ?? timestampOf(firstTimestamp, this.#delta);
  }

  get key(): Buffer | null {
    return this.#keyLength < 0 ? null : this.bytes.subarray(this.#keyFrom, this.#keyFrom + this.#keyLength);
  }

  get value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueFrom, this.valueFrom + this.valueLength);
  }

  get headers(): readonly RecordHeader[] {
    this.#headers ??= this.#headerCount === 0 ? noHeaders : readHeaders(new ByteReader(this.bytes, this.#headersFrom), this.#headerCount);
    return this.#headers;
  }
}

function timestampOf(first: number | bigint, delta: number | bigint): string {
  return typeof first === 'number' && typeof delta === 'number'
    ? String(first + delta)
    : String(BigInt.asIntN(64, BigInt(first) + BigInt(delta)));
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
