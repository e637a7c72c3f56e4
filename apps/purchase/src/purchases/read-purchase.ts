import { purchaseEventOf, purchaseRequestSchema, validatorFor, type PurchaseEvent, type Violation } from '@millrace/contracts';
import { PurchaseError } from '../errors.ts';

const validator = validatorFor(purchaseRequestSchema);

/** Most violations that are told of one purchase: a body of 1 MiB can hold a hundred thousand unknown fields. */
const violationsMax = 20;
/** Longest part of an unknown field's name that is repeated, in characters. */
const fieldCharactersMax = 128;

/**
 * The event that a posted purchase becomes.
 *
 * @throws PurchaseError `validation`, naming each field and its limit
 */
export function readPurchase(body: unknown, newEventId: () => string): PurchaseEvent {
  if (validator.check(body)) return purchaseEventOf(body, newEventId);
  const violations = validator.violations(body);
  const errors = violations.slice(0, violationsMax).map(shortened);
  throw new PurchaseError('validation', [sentenceOf(errors[0]!), ...restOf(violations.length)].join(' '), { errors });
}

function restOf(count: number): string[] {
  if (count === 1) return [];
  if (count === 2) return ['There is 1 more problem.'];
  return [`There are ${count - 1} more problems${count > violationsMax ? `; the first ${violationsMax} are listed` : ''}.`];
}

function sentenceOf({ field, message }: Violation): string {
  return `${field === '' ? 'The purchase' : field} ${message}.`;
}

function shortened(violation: Violation): Violation {
  return violation.field.length <= fieldCharactersMax
    ? violation
    : { ...violation, field: `${violation.field.slice(0, fieldCharactersMax)}…` };
}
