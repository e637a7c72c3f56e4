/** How busy this process is. Measured outside of this library, which does no I/O. */
export interface LoadSource {
  /** How long an event that arrives at a random moment of the last instants waits for the event loop, in milliseconds. */
  eventLoopDelayMs(): number;
  /** Share of the heap's limit that is in use, from 0 to 1. */
  heapUsedShare(): number;
}

/** How much a call matters, most important first. `critical` is never shed. */
export const priorities = ['critical', 'high', 'normal', 'low'] as const;

/** One of {@link priorities}. */
export type Priority = (typeof priorities)[number];
