import { cloudEventsVersion, headerNames, identityField, type EventFields, type Stream } from '@millrace/contracts';
import { deadlineHeaders } from '@millrace/runtime';
import { partitionOfKey } from './partition-of-key.ts';

/** One message for a topic, ready to be sent. */
export interface EventMessage {
  /** Name of the stream, which decides the topic. */
  readonly stream: string;
  readonly eventId: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
  /** Maximum number of bytes that the message adds to a record batch. */
  readonly bytes: number;
}

/**
 * Makes the message of an event: key, value JSON, CloudEvents in binary mode, `ce_time` the time of the event.
 *
 * @param deadline the caller's deadline in epoch milliseconds; consumers skip work for the caller after it
 */
export type MakeMessage = (event: EventFields, traceparent: string, deadline?: number) => EventMessage;

/** Upper bound of the varints in a record: lengths, deltas and attributes of the record and its headers. */
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

/** Lengths of the values that differ from event to event, all of fixed size: `eventId`, time and trace context. */
const uuidLength = 36;
const isoTimeLength = 24;
const traceparentLength = 55;

/**
 * Compiles the {@link MakeMessage} of a stream.
 *
 * @param partitions over which keys are spread now. Default: those of the contract
 */
export function messageMakerOf(
  { name: stream, eventType, eventSource, keyField, timeField, topic }: Stream,
  partitions: () => number = () => topic.partitions,
): MakeMessage {
  const type = Buffer.from(eventType);
  const source = Buffer.from(eventSource);
  const specVersion = Buffer.from(cloudEventsVersion);
  const contentType = Buffer.from('application/json');
  /** Maximum bytes that a message adds to a record batch beside its key and value. */
  const overheadBytes =
    recordOverheadBytes +
    Object.values(names).reduce((sum, { length }) => sum + headerOverheadBytes + length, 0) +
    [type, source, specVersion, contentType].reduce((sum, { length }) => sum + length, 0) +
    uuidLength +
    isoTimeLength +
    traceparentLength;
  const timeOf = timeTexts();

  return (event, traceparent, deadline) => {
    const eventId = event[identityField] as string;
    const key = Buffer.from(event[keyField] as string);
    const value = Buffer.from(JSON.stringify(event));
    const headers = new Map<Buffer, Buffer>();
    headers.set(names.id, Buffer.from(eventId, 'latin1'));
    headers.set(names.type, type);
    headers.set(names.source, source);
    headers.set(names.specVersion, specVersion);
    headers.set(names.time, timeOf(event[timeField] as number));
    headers.set(names.contentType, contentType);
    headers.set(names.traceparent, Buffer.from(traceparent, 'latin1'));
    let bytes = overheadBytes + key.length + value.length;
    if (deadline !== undefined) {
      for (const [name, text] of Object.entries(deadlineHeaders({ deadline }))) {
        headers.set(Buffer.from(name), Buffer.from(text));
        bytes += headerOverheadBytes + name.length + text.length;
      }
    }
    return { stream, eventId, partition: partitionOfKey(key, partitions()), key, value, headers, bytes };
  };
}

/** Returns the text of a time. Events of one second follow each other, so the last one is kept. */
function timeTexts(): (epochSeconds: number) => Buffer {
  let lastSeconds = Number.NaN;
  let lastTime = Buffer.alloc(0);
  return (epochSeconds) => {
    if (epochSeconds !== lastSeconds) {
      lastTime = Buffer.from(new Date(epochSeconds * 1000).toISOString(), 'latin1');
      lastSeconds = epochSeconds;
    }
    return lastTime;
  };
}
