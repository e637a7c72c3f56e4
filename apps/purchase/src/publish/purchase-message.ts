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

/**
 * The message of an event: key `userId`, value JSON, CloudEvents in binary mode, `ce_time` the time of the purchase.
 *
 * @param deadline epoch milliseconds; who does more for the caller because of this event shall have done it by then
 */
export function purchaseMessageOf(event: PurchaseEvent, traceparent: string, deadline?: number): PurchaseMessage {
  const key = Buffer.from(event.userId);
  const value = Buffer.from(JSON.stringify(event));
  const headers = new Map([
    [names.id, Buffer.from(event.eventId)],
    [names.type, constants.type],
    [names.source, constants.source],
    [names.specVersion, constants.specVersion],
    [names.time, Buffer.from(new Date(event.purchaseTimestamp * 1000).toISOString())],
    [names.contentType, constants.contentType],
    [names.traceparent, Buffer.from(traceparent)],
  ]);
  for (const [name, text] of Object.entries(deadlineHeaders({ deadline }))) headers.set(Buffer.from(name), Buffer.from(text));
  let bytes = recordOverheadBytes + key.length + value.length;
  for (const [name, text] of headers) bytes += headerOverheadBytes + name.length + text.length;
  return { eventId: event.eventId, partition: partitionOfKey(key), key, value, headers, bytes };
}
