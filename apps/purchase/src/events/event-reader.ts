import { eventMakerOf, validatorFor, type EventFields, type Stream, type Violation } from '@millrace/contracts';
import { PurchaseError } from '../errors.ts';

/** Maximum number of violations in an answer: a body of 1 MiB can hold a hundred thousand unknown fields. */
const violationsMax = 20;
/** Longest part of an unknown field's name that is repeated, in characters. */
const fieldCharactersMax = 128;

/**
 * Returns the event that a posted body becomes.
 *
 * @throws PurchaseError `validation`, naming each field and its limit
 */
export type ReadEvent = (body: unknown, newEventId: () => string) => EventFields;

/** Compiles the {@link ReadEvent} of a stream. */
export function eventReaderOf(stream: Stream): ReadEvent {
  const validator = validatorFor(stream.requestSchema);
  // Compiles the schema before the first request.
  validator.check(undefined);
  const makeEvent = eventMakerOf(stream);
  return (body, newEventId) => {
    if (validator.check(body)) return makeEvent(body, newEventId);
    const violations = validator.violations(body);
    const errors = violations.slice(0, violationsMax).map(shortened);
    throw new PurchaseError('validation', [sentenceOf(errors[0]!, stream.noun), ...restOf(violations.length)].join(' '), { errors });
  };
}

function restOf(count: number): string[] {
  if (count === 1) return [];
  if (count === 2) return ['There is 1 more problem.'];
  return [`There are ${count - 1} more problems${count > violationsMax ? `; the first ${violationsMax} are listed` : ''}.`];
}

function sentenceOf({ field, message }: Violation, noun: string): string {
  return `${field === '' ? `The ${noun}` : field} ${message}.`;
}

function shortened(violation: Violation): Violation {
  return violation.field.length <= fieldCharactersMax
    ? violation
    : { ...violation, field: `${violation.field.slice(0, fieldCharactersMax)}…` };
}
