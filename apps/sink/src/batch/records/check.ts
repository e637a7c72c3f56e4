import { isUtf8 } from 'node:buffer';
import { identityField, utcDate, validatorFor, withoutBom, type Stream } from '@millrace/contracts';
import type { RecordHeader } from '@millrace/kafka';
import type { LogRecord, UndecodableOffset } from '../../kafka/log.ts';
import { undecodableText } from './undecodable-records.ts';

/** A record that fits the contract, ready to be appended. */
export interface Row {
  readonly kind: 'row';
  readonly offset: number;
  /** Value of the partition key. */
  readonly dt: string;
  readonly eventId: string;
  /** Event time in epoch seconds. */
  readonly eventTime: number;
  /** The row as one line of JSON: its offset, then the fields of the event that are columns. */
  readonly line: string;
}

/** A record that fails validation; it is kept, with the reason. */
export interface Reject {
  readonly kind: 'reject';
  readonly offset: number;
  readonly reason: string;
  /** One line of the reject file. */
  readonly line: string;
}

/** Checks records of one stream. Uses no clock, so that a record gets the same result today and on replay. */
export type Check = (record: LogRecord) => Row | Reject;

/** Compiles the check of a stream. */
export function checkOf(stream: Stream, partition: number): Check {
  const validator = validatorFor(stream.eventSchema);
  const dayOf = lastDayKept();
  if (stream.columns.every(({ field }) => field !== identityField)) throw new Error(`stream ${stream.name} has no ${identityField}`);

  const reject = (record: LogRecord, reason: string): Reject => ({
    kind: 'reject',
    offset: record.offset,
    reason,
    line: `${JSON.stringify({
      topic: stream.topic.name,
      partition,
      offset: record.offset,
      timestamp: record.timestamp,
      reason,
      key: record.key?.toString('base64') ?? null,
      value: record.value?.toString('base64') ?? null,
      headers: record.headers.map(rejectedHeader),
      ...(record.undecodable === undefined ? {} : { undecodable: rejectedBatch(record.undecodable) }),
    })}\n`,
  });

  return (record) => {
    if (record.undecodable !== undefined) return reject(record, undecodableText(record.undecodable));
    if (record.value === null) return reject(record, 'the value is null');
    if (!isUtf8(record.value)) return reject(record, 'the value is not UTF-8');
    const text = withoutBom(record.value).toString('utf8');
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      return reject(record, 'the value is not JSON');
    }
    if (!validator.check(event)) {
      const reason = validator
        .violations(event)
        .map(({ field, message }) => (field === '' ? `the value ${message}` : `${field} ${message}`))
        .join('; ');
      return reject(record, reason);
    }
    // Serialise the row again: pretty-printed JSON spans lines, a duplicate key stops DuckDB, and new fields of a producer are not
    // columns yet.
    const fields = event as Record<string, string | number | boolean>;
    const row: Record<string, string | number | boolean> = { _offset: record.offset };
    for (const { field, lowerCase } of stream.columns) {
      const value = fields[field];
      if (value === undefined) continue;
      row[field] = lowerCase ? (value as string).toLowerCase() : value;
    }
    const eventTime = fields[stream.timeField] as number;
    return {
      kind: 'row',
      offset: record.offset,
      dt: dayOf(eventTime),
      eventId: row[identityField] as string,
      eventTime,
      line: `${JSON.stringify(row)}\n`,
    };
  };
}

/** Returns the day of a time. Most events follow one of the same day, so the last day is kept. */
export function lastDayKept(): (epochSeconds: number) => string {
  let day = Number.NaN;
  let text = '';
  return (epochSeconds) => {
    const own = Math.floor(epochSeconds / 86_400);
    if (own !== day) {
      day = own;
      text = utcDate(epochSeconds);
    }
    return text;
  };
}

// A list, because a name may be there twice. A name that is not UTF-8 is kept as its bytes.
function rejectedHeader({ name, nameBytes, value }: RecordHeader): unknown {
  return {
    ...(nameBytes === undefined ? { name } : { nameBase64: nameBytes.toString('base64') }),
    value: value?.toString('base64') ?? null,
  };
}

function rejectedBatch({ from, to, sha256, batch }: UndecodableOffset): unknown {
  return { from, to, sha256, ...(batch === undefined ? {} : { batch: batch.toString('base64') }) };
}
