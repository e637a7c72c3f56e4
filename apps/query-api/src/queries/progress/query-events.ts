import { QueryError } from '../../errors.ts';
import { isFinal, viewOf, type QueryRecord } from '../query-record.ts';
import type { QueryState } from '@millrace/contracts';

/** Longest silence of a stream, in milliseconds: proxies close a connection without a byte. */
export const heartbeatMs = 15_000;
/**
 * Maximum interval between two polls of the query, in milliseconds. Messages announce changes; a poll finds a change whose message was
 * lost.
 */
const lookMs = 5000;
/** The same for a query in the queue: no message announces that the queries before it have started. */
const queuedLookMs = 2000;
/** Time after which a client connects again, in milliseconds. */
const reconnectMs = 1000;

/** Number of the event that announces a state. States never go backwards, so that a client names the last one that it has seen. */
const numbers: Readonly<Record<QueryState, number>> = { queued: 1, running: 2, cancelling: 3, succeeded: 4, failed: 4, cancelled: 4 };

/** A query that is followed. */
export interface FollowedQuery {
  /** Reads the query. */
  readonly find: () => Promise<QueryRecord>;
  /** Number of the last event that the client has; 0 for none. */
  readonly after: number;
  readonly now: () => number;
  /** Waits for a change, for a time, or for the abort of the signal. */
  readonly untilChanged: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Ends the stream without an error. */
  readonly signal: AbortSignal;
}

/** The number in a `Last-Event-ID`; 0 without a valid one. */
export function eventNumberOf(lastEventId: string | undefined): number {
  return lastEventId !== undefined && /^[1-4]$/.test(lastEventId) ? Number(lastEventId) : 0;
}

/** Whether a client with this last event has seen everything. */
export function hasSeenAll({ state }: QueryRecord, after: number): boolean {
  return isFinal(state) && after >= numbers[state];
}

/**
 * The changes of one query as server-sent events, to its end. Their data is the query. Each state is an event `state`, and each change
 * within a state an event `progress`. Only states have numbers, so a client that reconnects gets the newest progress.
 *
 * @param first the query now
 */
export async function* queryEvents(first: QueryRecord, { find, after, now, untilChanged, signal }: FollowedQuery): AsyncGenerator<string> {
  yield `retry: ${reconnectMs}\n\n`;
  let last = after;
  let record: QueryRecord | undefined = first;
  let shown = JSON.stringify(viewOf(first));
  let spokenAt = now();
  while (!signal.aborted) {
    if (record !== undefined && numbers[record.state] >= last) {
      const isNewState = numbers[record.state] > last;
      const before = shown;
      last = numbers[record.state];
      shown = JSON.stringify(viewOf(record));
      if (isNewState || shown !== before) {
        yield isNewState ? `event: state\nid: ${last}\ndata: ${shown}\n\n` : `event: progress\ndata: ${shown}\n\n`;
        spokenAt = now();
      }
    }
    if (record !== undefined && isFinal(record.state)) return;
    const leftMs = spokenAt + heartbeatMs - now();
    if (leftMs <= 0) {
      yield ': waiting\n\n';
      spokenAt = now();
      continue;
    }
    await untilChanged(Math.min(leftMs, record?.state === 'queued' ? queuedLookMs : lookMs), signal);
    if (signal.aborted) return;
    try {
      record = await find();
    } catch (error) {
      // A query that is no longer kept has no more events. Redis may be back at the next poll.
      if (error instanceof QueryError && error.code === 'not-found') return;
      record = undefined;
    }
  }
}
