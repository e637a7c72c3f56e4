/** Load of this process. The application measures it, because this library does no I/O. */
export interface LoadSource {
  /** Expected wait for the event loop, in milliseconds, of an event that arrives at a random recent moment. */
  eventLoopDelayMs(): number;
  /** Used part of the heap limit, from 0 to 1. */
  heapUsedRatio(): number;
}

/** Importance of a call, most important first. `critical` calls are never shed. */
export const priorities = ['critical', 'high', 'normal', 'low'] as const;

/** One of {@link priorities}. */
export type Priority = (typeof priorities)[number];
