import { identityField, type Stream } from './stream.ts';

/** An event, or the request that becomes one, by field. */
export type EventFields = Readonly<Record<string, unknown>>;

/**
 * Makes the event that a valid request becomes: fields in wire order, UUIDs in lower case.
 *
 * @param request a request that passed the request schema of the stream
 * @param newEventId makes the id (UUIDv7) when the caller gave none
 */
export type MakeEvent = (request: EventFields, newEventId: () => string) => EventFields;

/** Compiles the {@link MakeEvent} of a stream. */
export function eventMakerOf({ columns }: Stream): MakeEvent {
  const fields = columns.map(({ field, lowerCase }) => ({ field, lowerCase }));
  return (request, newEventId) => {
    const event: Record<string, unknown> = {};
    for (const { field, lowerCase } of fields) {
      const value = request[field] ?? (field === identityField ? newEventId() : undefined);
      if (value !== undefined) event[field] = lowerCase ? (value as string).toLowerCase() : value;
    }
    return event;
  };
}
