import { ProblemError } from '@millrace/runtime';
import { partitionMax, uuidPattern, type Violation } from '@millrace/contracts';
import type { NamedPlace } from './follow-event.ts';

const uuid = new RegExp(uuidPattern);
/** Up to 16 digits, so that each value is exact as a number. */
const digits = /^[0-9]{1,16}$/;
const names: ReadonlySet<string> = new Set(['partition', 'offset']);

/** A request to follow an event. */
export interface FollowRequest {
  /** In lower case. */
  readonly eventId: string;
  readonly named: NamedPlace | undefined;
}

/**
 * Reads the path and the query of a request to follow an event.
 *
 * @throws ProblemError `validation`, naming each parameter
 */
export function readFollowRequest(id: string, query: Readonly<Record<string, unknown>>): FollowRequest {
  const errors: Violation[] = Object.keys(query)
    .filter((name) => !names.has(name))
    .slice(0, 20)
    .map((name) => ({ field: name.slice(0, 128), message: 'is not a parameter of this path' }));
  const eventId = id.toLowerCase();
  if (!uuid.test(eventId)) errors.push({ field: 'eventId', message: 'must be a UUID' });
  const { partition, offset } = query;
  if ((partition === undefined) !== (offset === undefined))
    errors.push({ field: partition === undefined ? 'partition' : 'offset', message: 'is required: a place has a partition and an offset' });
  if (partition !== undefined && !(isNumber(partition) && Number(partition) <= partitionMax))
    errors.push({ field: 'partition', message: `must be a whole number from 0 to ${partitionMax}`, limit: partitionMax });
  if (offset !== undefined && !(isNumber(offset) && Number.isSafeInteger(Number(offset))))
    errors.push({ field: 'offset', message: 'must be an offset: a whole number of at most 16 digits' });
  if (errors.length > 0) throw new ProblemError('validation', { detail: `${errors[0]!.field} ${errors[0]!.message}.`, errors });
  return { eventId, named: partition === undefined ? undefined : { partition: Number(partition), offset: Number(offset) } };
}

function isNumber(value: unknown): value is string {
  return typeof value === 'string' && digits.test(value);
}
