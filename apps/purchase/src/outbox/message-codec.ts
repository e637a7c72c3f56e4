import { headerNames, type Stream } from '@millrace/contracts';
import type { QueueEntry } from '@millrace/resilience';
import { OutboxError } from '../errors.ts';
import type { EventMessage } from '../publish/event-message.ts';
import type { EntryCodec } from './outbox-queue.ts';

const version = 1;
/** Version, partition, counted bytes and number of headers. */
const fixedBytes = 8;
const lengthBytes = 4;

/** Key of a message in the queue: its topic and partition, because Kafka keeps the order per partition. */
export function queueKeyOf({ stream, partition }: Pick<EventMessage, 'stream' | 'partition'>): string {
  return `${stream}/${partition}`;
}

/** A message as an entry of the queue. */
export function entryOfMessage(message: EventMessage): QueueEntry<EventMessage> {
  return { id: message.eventId, key: queueKeyOf(message), item: message };
}

/**
 * Messages as bytes: the version, the numbers, then id, key, value and headers, each after its length. The header with the event type
 * decides the stream.
 */
export function messageCodecOf(streams: readonly Stream[]): EntryCodec<EventMessage> {
  const nameOfType = new Map(streams.map(({ eventType, name }) => [eventType, name]));
  return {
    encode: ({ item }) => encode(item),
    decode(encoded) {
      const message = decode(encoded);
      const type = headerOf(message, headerNames.type);
      const stream = nameOfType.get(type);
      if (stream === undefined)
        throw new OutboxError(
          'damaged',
          `The outbox holds an event of the type "${type}", and no stream has it: drain the outbox with a release that declares the stream.`,
        );
      return entryOfMessage({ ...message, stream });
    },
  };
}

function headerOf({ headers }: Pick<EventMessage, 'headers'>, name: string): string {
  return [...headers].find(([one]) => one.toString() === name)?.[1].toString() ?? '';
}

function encode({ eventId, partition, key, value, headers, bytes }: EventMessage): Buffer {
  const parts = [Buffer.from(eventId), key, value, ...[...headers].flat()];
  const encoded = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + lengthBytes + length, fixedBytes));
  encoded.writeUInt8(version, 0);
  encoded.writeUInt16LE(partition, 1);
  encoded.writeUInt32LE(bytes, 3);
  encoded.writeUInt8(headers.size, 7);
  let at = fixedBytes;
  for (const part of parts) {
    encoded.writeUInt32LE(part.length, at);
    encoded.set(part, at + lengthBytes);
    at += lengthBytes + part.length;
  }
  return encoded;
}

/** The parts are copies: a view would keep the whole chunk of the log in memory. */
function decode(encoded: Buffer): Omit<EventMessage, 'stream'> {
  if (encoded[0] !== version)
    throw new OutboxError(
      'other-format',
      `The version of an entry in the outbox is ${encoded[0]}, and this release reads ${version}: drain the outbox with the release that wrote it.`,
    );
  let at = fixedBytes;
  const next = (): Buffer => {
    const end = at + lengthBytes + encoded.readUInt32LE(at);
    const part = Buffer.from(encoded.subarray(at + lengthBytes, end));
    at = end;
    return part;
  };
  const eventId = next().toString();
  const key = next();
  const value = next();
  const headers = new Map<Buffer, Buffer>();
  for (let count = encoded.readUInt8(7); count > 0; count -= 1) headers.set(next(), next());
  return { eventId, partition: encoded.readUInt16LE(1), key, value, headers, bytes: encoded.readUInt32LE(3) };
}
