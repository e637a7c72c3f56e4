import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { headerNames, withoutBom } from '@millrace/contracts';
import { lastHeader } from '@millrace/kafka';
import { eventIdInText } from './damaged-text.ts';
import type { RejectedRecord } from './reject-files.ts';

/** A reject as one line of a file that an operator edits. */
export interface EditableReject {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** What is wrong with it; of no further use. */
  readonly reason: string;
  /** The event to put through in its place: the original where that is a JSON object, under the identity it must keep; otherwise null. */
  readonly event: Readonly<Record<string, unknown>> | null;
  /** The original, where it is no JSON object and is UTF-8. */
  readonly text?: string;
  /** The original, where it is not UTF-8. */
  readonly base64?: string;
  /** The identity that an event written from scratch must have. */
  readonly eventId?: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Draws up the line of a reject. */
export function editableReject(record: RejectedRecord): EditableReject {
  const { topic, partition, offset, reason, value } = record;
  const place = { topic, partition, offset, reason };
  const eventId = identityOf(record);
  const event = objectIn(value);
  if (event !== undefined) return { ...place, event: { ...event, eventId } };
  if (value === null) return { ...place, event: null, eventId };
  return { ...place, event: null, eventId, ...(isUtf8(value) ? { text: value.toString('utf8') } : { base64: value.toString('base64') }) };
}

/**
 * The identity under which a reject is put through again, however often: the event id of its JSON, that of its CloudEvents header, the one
 * that a damaged text names, or, where none is a UUID, one made of its place in the topic.
 */
export function identityOf({ topic, partition, offset, value, headers }: Pick<RejectedRecord, 'topic' | 'partition' | 'offset' | 'value' | 'headers'>): string {
  const own = objectIn(value)?.['eventId'];
  const header = lastHeader(headers, headerNames.id)?.toString('utf8');
  const given = [own, header, value === null ? undefined : eventIdInText(value)].find((id): id is string => typeof id === 'string' && uuid.test(id));
  if (given !== undefined) return given.toLowerCase();
  const hex = createHash('sha256').update(`${topic}/${partition}/${offset}`).digest('hex');
  // Version 8: made by a rule of its own.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function objectIn(value: Buffer | null): Readonly<Record<string, unknown>> | undefined {
  if (value === null || !isUtf8(value)) return undefined;
  try {
    const parsed: unknown = JSON.parse(withoutBom(value).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
