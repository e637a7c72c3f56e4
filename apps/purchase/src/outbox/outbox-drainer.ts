import { type BackOff, backOffMs, type Clock, type QueueEntry, type ReplaySummary, sleep } from '@millrace/resilience';
import type { EventMessage } from '../publish/event-message.ts';
import { ClientPresence } from '../publish/client-presence.ts';
import type { EventPublisher } from '../publish/event-publisher.ts';
import type { OutboxQueue } from './outbox-queue.ts';

/** Makes one pass over the outbox. */
export type ReplayOutbox = (
  publish: (entries: readonly QueueEntry[], context: { readonly signal: AbortSignal }) => Promise<void>,
  options: { readonly signal: AbortSignal },
) => Promise<ReplaySummary>;

/** Dependencies and waits of the drainer. */
export interface OutboxDrainerOptions {
  readonly queue: Pick<OutboxQueue<EventMessage>, 'canReplay'>;
  readonly replay: ReplayOutbox;
  readonly publisher: EventPublisher & { readonly downCause: unknown };
  readonly clock: Clock;
  readonly random: () => number;
  /** Time that a group of events has to be published, in milliseconds, ≥ 1. */
  readonly publishMsMax: number;
  /** Waits after a pass that left events. */
  readonly retry: BackOff;
  /** Called with the error of a pass: the log cannot be read or written. */
  readonly onError: (error: unknown) => void;
  /** Called after a pass that published events. */
  readonly onReplayed: (summary: ReplaySummary) => void;
}

/** Publishes the events of the outbox through the publisher of live events, whenever Kafka can be reached. */
export class OutboxDrainer {
  readonly #options: OutboxDrainerOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: OutboxDrainerOptions) {
    this.#options = options;
  }

  /** Begins to drain the events of an earlier process and all later ones. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Call this when there may be work: events are durable in the outbox, or Kafka is back. */
  wake(): void {
    this.#wake?.();
  }

  /** Stops after the events on their way. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('The drainer stops.'));
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { queue, publisher, clock, random, retry } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      if (!queue.canReplay || publisher.downCause !== undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const hasProgressed = await this.#pass();
      failures = hasProgressed ? 0 : failures + 1;
      // Events of one partition may wait for a leader while others drain. A pass without progress must wait too: it may have made no I/O,
      // and the event loop would starve.
      if (!hasProgressed) await sleep(backOffMs(retry, failures - 1, random), { clock, signal }).catch(() => undefined);
    }
  }

  /** @returns whether a pass published everything that it found, and found something */
  async #pass(): Promise<boolean> {
    const { replay, onError, onReplayed } = this.#options;
    let isComplete = true;
    try {
      const summary = await replay(
        async (entries, { signal }) => {
          try {
            await this.#publish(entries, signal);
          } catch (error) {
            isComplete = false;
            throw error;
          }
        },
        { signal: this.#stop.signal },
      );
      if (summary.replayed > 0) onReplayed(summary);
      return isComplete && summary.replayed > 0;
    } catch (error) {
      onError(error);
      return false;
    }
  }

  async #publish(entries: readonly QueueEntry[], signal: AbortSignal): Promise<void> {
    const { publisher, clock, publishMsMax } = this.#options;
    const messages = entries.map(({ item }) => item as EventMessage);
    const deliveries = await publisher.publish(messages, { client: ClientPresence.of(signal), deadline: clock.now() + publishMsMax });
    const failed = deliveries.find(({ kind }) => kind === 'failed');
    if (failed?.kind === 'failed') throw new Error(`An event of the outbox was not published: ${failed.reason}.`, { cause: failed.cause });
  }
}
