import type { PartitionAnswer } from '../read-answer.ts';

/** The property of a kafkajs message that carries the answer for its partition. */
export const answerProperty = Symbol('millrace.answer');

/** One message in place of all records of a partition's answer. kafkajs passes it on, and {@link answerOf} takes the answer out. */
export interface CarrierMessage {
  readonly [answerProperty]: PartitionAnswer;
  readonly offset: string;
  readonly isControlRecord: false;
}

interface FetchPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly never[];
  readonly preferredReadReplica?: number;
  readonly messages: readonly CarrierMessage[];
}

/** A Fetch response as kafkajs's consumer takes it. */
export interface FetchResponse {
  readonly throttleTime: number;
  readonly clientSideThrottleTime?: number;
  readonly errorCode?: number;
  readonly sessionId?: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchPartition[] }[];
}

// kafkajs drops messages before the requested offset, and does not pass that offset to the decoder.
const offsetMax = String(2n ** 63n - 1n);

// The broker could not read its own log. The error concerns one partition, but kafkajs would drop the responses of the others with it.
const corruptMessage = 2;

/**
 * Decodes a Fetch response of version 4 to 11 down to the records of each partition, which it leaves as bytes.
 *
 * @see https://kafka.apache.org/protocol.html#The_Messages_Fetch
 */
export function decodeFetchResponse(version: number, bytes: Buffer): FetchResponse {
  const reader = new ResponseReader(bytes);
  const throttleTime = reader.int32();
  const session = version >= 7 ? { errorCode: reader.int16(), sessionId: reader.int32() } : {};
  const responses = reader.array(() => ({ topicName: reader.string(), partitions: reader.array(() => readPartition(version, reader)) }));
  // From version 8 on the client has to wait by itself; kafkajs distinguishes the two by the name of the field (KIP-219).
  return { ...(version >= 8 ? { throttleTime: 0, clientSideThrottleTime: throttleTime } : { throttleTime }), ...session, responses };
}

function readPartition(version: number, reader: ResponseReader): FetchPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  if (version >= 5) reader.int64();
  const aborted = reader.array(() => ({ producerId: reader.int64(), firstOffset: Number(reader.int64()) }));
  const preferredReadReplica = version >= 11 ? { preferredReadReplica: reader.int32() } : {};
  const refused = errorCode === corruptMessage;
  const answer: PartitionAnswer = {
    highWatermark: Number(highWatermark),
    lastStableOffset: Number(lastStableOffset),
    aborted,
    records: reader.bytes(),
    ...(refused ? { refused: 'the broker answers CORRUPT_MESSAGE' } : {}),
  };
  // Pass on an answer whose records a transaction holds back, too: a reader may wait for the end of the partition.
  const tells = refused || answer.records.length > 0 || answer.lastStableOffset < answer.highWatermark;
  return {
    partition,
    errorCode: refused ? 0 : errorCode,
    highWatermark: String(highWatermark),
    lastStableOffset: String(lastStableOffset),
    // Applied by readAnswer.
    abortedTransactions: [],
    ...preferredReadReplica,
    messages: tells && (refused || errorCode === 0) ? [{ [answerProperty]: answer, offset: offsetMax, isControlRecord: false }] : [],
  };
}

class ResponseReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#position += 2;
    return this.#bytes.readInt16BE(this.#position - 2);
  }

  int32(): number {
    this.#position += 4;
    return this.#bytes.readInt32BE(this.#position - 4);
  }

  int64(): bigint {
    this.#position += 8;
    return this.#bytes.readBigInt64BE(this.#position - 8);
  }

  string(): string {
    const length = this.int16();
    return this.#take(length).toString('utf8');
  }

  bytes(): Buffer {
    return this.#take(Math.max(0, this.int32()));
  }

  array<T>(read: () => T): T[] {
    const length = Math.max(0, this.int32());
    const items: T[] = [];
    for (let n = 0; n < length; n += 1) items.push(read());
    return items;
  }

  #take(length: number): Buffer {
    const start = this.#position;
    if (length < 0 || start + length > this.#bytes.length)
      throw new RangeError(`a Fetch response of ${this.#bytes.length} bytes ends in the middle of a field`);
    this.#position = start + length;
    return this.#bytes.subarray(start, this.#position);
  }
}
