import { validatorFor, type Stream } from '@millrace/contracts';
import { eventIdInText } from './damaged-text.ts';
import { identityOf } from './editable-reject.ts';
import type { RejectedRecord } from './reject-files.ts';

/** A corrected reject that is ready to be produced, or the reason for its refusal. */
export type Correction =
  | { readonly kind: 'good'; readonly eventId: string; readonly key: string; readonly value: Buffer; readonly original: RejectedRecord }
  | { readonly kind: 'refused'; readonly reason: string };

/** A parsed line of a file of corrections. */
export interface CorrectedLine {
  readonly partition: number;
  readonly offset: number;
  readonly event: unknown;
}

/** Parses one line of a file of corrections. A text is the reason why it is not valid. */
export function readLine(text: string, topic: string): CorrectedLine | string {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch (error) {
    return `the line is not JSON: ${(error as Error).message}`;
  }
  const {
    topic: of,
    partition,
    offset,
    event,
  } = (typeof line === 'object' && line !== null ? line : {}) as {
    topic?: unknown;
    partition?: unknown;
    offset?: unknown;
    event?: unknown;
  };
  if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(offset) || Number(partition) < 0 || Number(offset) < 0)
    return 'the line must name "partition" and "offset" of the reject, as ./millrace rejects show --out writes them';
  if (of !== topic) return `the line is of the topic ${JSON.stringify(of)}, and the table's is ${topic}`;
  return { partition: Number(partition), offset: Number(offset), event };
}

/** Compiles the check of corrections: the contract of the topic, the identity of the reject, and the size limit of the topic. */
export function correctionsOf(stream: Stream): (event: unknown, original: RejectedRecord | undefined) => Correction {
  const validator = validatorFor(stream.eventSchema);
  return (event, original) => {
    if (original === undefined) return refused('no entry of the ledger rejected this offset');
    if (event === null || event === undefined) return refused('"event" is missing: write the corrected event there');
    if (!validator.check(event)) {
      return refused(
        `it still breaks the contract: ${validator
          .violations(event)
          .map(({ field, message }) => (field === '' ? `the event ${message}` : `${field} ${message}`))
          .join('; ')}`,
      );
    }
    const fields = event as Readonly<Record<string, unknown>>;
    const eventId = String(fields['eventId']).toLowerCase();
    const wanted = identityOf(original);
    // Another identity is another event: produced twice, it becomes two rows. The original text may name this id too.
    if (eventId !== wanted && !namesEvent(original, eventId)) return refused(`eventId must stay ${wanted}`);
    const key = String(fields[stream.keyField]);
    const value = Buffer.from(JSON.stringify({ ...fields, eventId }));
    const bytes = value.byteLength + Buffer.byteLength(key) + 1024;
    if (bytes > stream.topic.maxMessageBytes) return refused(`it has ${value.byteLength} bytes, more than the topic takes`);
    return { kind: 'good', eventId, key, value, original };
  };
}

function namesEvent({ value }: RejectedRecord, eventId: string): boolean {
  return value !== null && eventIdInText(value) === eventId;
}

function refused(reason: string): Correction {
  return { kind: 'refused', reason };
}
