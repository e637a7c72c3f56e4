/** Largest frame that is taken, in bytes: Kafka's own default for a request is 100 MiB. */
const frameBytesMax = 128 * 1024 * 1024;

// Numbers of the Kafka protocol; those that tests speak of.
const apiNames: Readonly<Record<number, string>> = {
  0: 'Produce',
  1: 'Fetch',
  2: 'ListOffsets',
  3: 'Metadata',
  8: 'OffsetCommit',
  9: 'OffsetFetch',
  10: 'FindCoordinator',
  11: 'JoinGroup',
  12: 'Heartbeat',
  13: 'LeaveGroup',
  14: 'SyncGroup',
  18: 'ApiVersions',
  19: 'CreateTopics',
  22: 'InitProducerId',
};

/**
 * Splits a byte stream into Kafka's frames: four bytes of length, then that many.
 *
 * @throws RangeError when a length is none that Kafka would take
 */
export async function* kafkaFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let have = 0;
  for await (const chunk of source) {
    parts.push(chunk);
    have += chunk.length;
    while (have >= 4) {
      // The length may be split across two chunks.
      if (parts[0]!.length < 4) parts = [Buffer.concat(parts)];
      const length = parts[0]!.readInt32BE(0);
      if (length < 4 || length > frameBytesMax) throw new RangeError(`a Kafka frame of ${length} bytes`);
      if (have < 4 + length) break;
      const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      yield bytes.subarray(0, 4 + length);
      const rest = bytes.subarray(4 + length);
      parts = [rest];
      have = rest.length;
    }
  }
}

/** Parses the head of a request frame. */
export function kafkaRequestOf(frame: Buffer): { readonly api: string; readonly correlationId: number } {
  const key = frame.readInt16BE(4);
  return { api: apiNames[key] ?? `api-${key}`, correlationId: frame.readInt32BE(8) };
}

/** Returns the id of the request that a frame of the broker answers. */
export function correlationIdOf(frame: Buffer): number {
  return frame.readInt32BE(4);
}

/** An answer that ends after the number of its request. */
export function cutAnswer(frame: Buffer): Buffer {
  const head = Buffer.from(frame.subarray(0, 8));
  head.writeInt32BE(4, 0);
  return head;
}
