import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { headerNames, uuidPattern, withoutBom } from '@millrace/contracts';
import { lastHeader } from '@millrace/kafka';
import { eventIdInText } from './damaged-text.ts';
import type { RejectedRecord } from './reject-files.ts';

/** A reject as one line of a file that an operator edits. */
export interface EditableReject {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Violation of the contract. A redrive ignores it. */
  readonly reason: string;
  /** The event to produce: the original JSON object with the id that it must keep. Null when the original is no JSON object. */
  readonly event: Readonly<Record<string, unknown>> | null;
  /** The original, if it is UTF-8 and not a JSON object. */
  readonly text?: string;
  /** The original, if it is not UTF-8. */
  readonly base64?: string;
  /** The id of the event, if `event` is null. */
  readonly eventId?: string;
}

const uuid = new RegExp(uuidPattern);

/** Makes the editable line of a reject. */
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
 * Returns the event id of a reject. It is the same at each call, so that a repeated redrive makes one row. The first UUID of these wins:
 * `eventId` of its JSON, its CloudEvents header, the id in a damaged text. Without one, the place in the topic gives the id.
 */
export function identityOf({
  topic,
  partition,
  offset,
  value,
  headers,
}: Pick<RejectedRecord, 'topic' | 'partition' | 'offset' | 'value' | 'headers'>): string {
  const own = objectIn(value)?.['eventId'];
  const header = lastHeader(headers, headerNames.id)?.toString('utf8');
  const given = [own, header, value === null ? undefined : eventIdInText(value)].find(
    (id): id is string => typeof id === 'string' && uuid.test(id),
  );
  if (given !== undefined) return given.toLowerCase();
  const hex = createHash('sha256').update(`${topic}/${partition}/${offset}`).digest('hex');
  // RFC 9562 reserves version 8 for custom rules.
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
