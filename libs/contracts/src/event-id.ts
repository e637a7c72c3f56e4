/**
 * Time around the creation of an event id in which the topic probably received the event, in milliseconds. Clocks differ; clients retry.
 */
export const eventIdWindow = { beforeMs: 60_000, afterMs: 15 * 60_000 } as const;

/** Returns the creation time of an event id in milliseconds since the epoch. Only a UUID of version 7 has one; otherwise undefined. */
export function timeOfEventId(eventId: string): number | undefined {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(eventId)
    ? Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16)
    : undefined;
}
