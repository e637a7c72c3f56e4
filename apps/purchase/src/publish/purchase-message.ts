import { cloudEventsVersion, headerNames, purchases, type PurchaseEvent } from '@millrace/contracts';
import { deadlineHeaders } from '@millrace/runtime';
import { partitionOfKey } from './partition-of-key.ts';

/** One message for the topic, ready to be sent. */
export interface PurchaseMessage {
  readonly eventId: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
  /** What it adds to a record batch, at most. */
  readonly bytes: number;
}

/** Lengths, deltas and attributes of a record and of its headers are varints; this is more than they take. */
const recordOverheadBytes = 40;
const headerOverheadBytes = 6;

const names = {
  id: Buffer.from(headerNames.id),
  type: Buffer.from(headerNames.type),
  source: Buffer.from(headerNames.source),
  specVersion: Buffer.from(headerNames.specVersion),
  time: Buffer.from(headerNames.time),
  contentType: Buffer.from(headerNames.contentType),
  traceparent: Buffer.from(headerNames.traceparent),
};
const constants = {
  type: Buffer.from(purchases.eventType),
  source: Buffer.from(purchases.eventSource),
  specVersion: Buffer.from(cloudEventsVersion),
  contentType: Buffer.from('application/json'),
};

/** Lengths of the values that differ from event to event, all of fixed size: `eventId`, time and trace context. */
const uuidLength = 36;
const isoTimeLength = 24;
const traceparentLength = 55;

/** Most bytes that a message adds to a record batch beside its key and its value. */
const messageOverheadBytes =
  recordOverheadBytes +
  Object.values(names).reduce((sum, { length }) => sum + headerOverheadBytes + length, 0) +
  Object.values(constants).reduce((sum, { length }) => sum + length, 0) +
  uuidLength +
  isoTimeLength +
  traceparentLength;

let lastSeconds = Number.NaN;
let lastTime = Buffer.alloc(0);

/** The time as text. Purchases of one second follow each other, so the last one is kept. */
function timeOf(epochSeconds: number): Buffer {
  if (epochSeconds !== lastSeconds) {
    lastTime = Buffer.from(new Date(epochSeconds * 1000).toISOString(), 'latin1');
    lastSeconds = epochSeconds;
  }
  return lastTime;
}

/**
 * The message of an event: key `userId`, value JSON, CloudEvents in binary mode, `ce_time` the time of the purchase.
 *
 * @param deadline epoch milliseconds; who does more for the caller because of this event shall have done it by then
 */
export function purchaseMessageOf(event: PurchaseEvent, traceparent: string, deadline?: number): PurchaseMessage {
  const key = Buffer.from(event.userId);
  const value = Buffer.from(JSON.stringify(event));
  const headers = new Map<Buffer, Buffer>();
  headers.set(names.id, Buffer.from(event.eventId, 'latin1'));
  headers.set(names.type, constants.type);
  headers.set(names.source, constants.source);
  headers.set(names.specVersion, constants.specVersion);
  headers.set(names.time, timeOf(event.purchaseTimestamp));
  headers.set(names.contentType, constants.contentType);
  headers.set(names.traceparent, Buffer.from(traceparent, 'latin1'));
  let bytes = messageOverheadBytes + key.length + value.length;
  if (deadline !== undefined) {
    for (const [name, text] of Object.entries(deadlineHeaders({ deadline }))) {
      headers.set(Buffer.from(name), Buffer.from(text));
      bytes += headerOverheadBytes + name.length + text.length;
    }
  }
  return { eventId: event.eventId, partition: partitionOfKey(key), key, value, headers, bytes };
}
