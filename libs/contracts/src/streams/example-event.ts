import type { TSchema } from 'typebox';
import { uuidPattern } from './fields.ts';
import type { Stream } from './stream.ts';

/** Sunday, 1 December 2019: the time of the first purchases of the examples. */
const exampleSeconds = 1_575_121_641;
const exampleUuid = '0199c0de-0000-7000-8000-000000000001';

interface Facts {
  readonly type?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-column-type'?: string;
}

/** Makes an event that follows the schema of a stream, the same at each call. Text fields hold their own names. */
export function exampleEventOf({ eventSchema }: Stream): Readonly<Record<string, unknown>> {
  const fields = Object.entries(eventSchema.properties as Readonly<Record<string, TSchema>>);
  return Object.fromEntries(fields.map(([name, schema]) => [name, valueOf(name, schema)]));
}

function valueOf(name: string, { type, pattern, maxLength, minimum = 0, maximum = minimum + 50, 'x-column-type': column }: Facts): unknown {
  if (column === 'timestamp') return exampleSeconds;
  if (pattern === uuidPattern) return exampleUuid;
  if (type === 'string') return name.slice(0, maxLength);
  if (type === 'boolean') return true;
  // A round number near the middle, as far as the limits allow one.
  return Math.max(minimum, Math.min(maximum, 24));
}
