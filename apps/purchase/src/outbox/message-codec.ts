import type { QueueEntry } from '@millrace/resilience';
import type { PurchaseMessage } from '../publish/purchase-message.ts';
import type { EntryCodec } from './outbox-queue.ts';

const version = 1;
/** Version, partition, counted bytes and number of headers. */
const fixedBytes = 8;
const lengthBytes = 4;

/** A message as an entry of the queue: its partition is the key, because Kafka keeps the order per partition. */
export function entryOfMessage(message: PurchaseMessage): QueueEntry<PurchaseMessage> {
  return { id: message.eventId, key: String(message.partition), item: message };
}

/** Messages as bytes: the version, the numbers, then id, key, value and headers, each after its length. */
export const messageCodec: EntryCodec<PurchaseMessage> = {
  encode({ item: { eventId, partition, key, value, headers, bytes } }) {
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
  },

  /** The parts are copies: a view would keep the whole chunk of the log in memory. */
  decode(encoded) {
    if (encoded[0] !== version)
      throw new RangeError(
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
    return entryOfMessage({ eventId, partition: encoded.readUInt16LE(1), key, value, headers, bytes: encoded.readUInt32LE(3) });
  },
};
