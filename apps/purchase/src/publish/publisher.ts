import { backOffMs, type BackOff, type Clock } from '@millrace/resilience';
import { CallDeadlines } from './call-deadlines.ts';
import type { Delivery, FailureReason } from './delivery.ts';
import type { EventPublisher } from './event-publisher.ts';
import { PartitionQueue } from './partition-queue.ts';
import { PublishCall, type Pending, type PublishLimits } from './publish-call.ts';
import type { PublisherObserver } from './publisher-events.ts';
import type { EventMessage } from './event-message.ts';
import type { PartitionOutcome, TopicWriter, WriterSession } from './topic-writer.ts';

/** Share of the queue that batches may fill. The rest is reserved for single purchases, because a customer waits for each. */
export const batchQueueShare = 0.75;

/** Settings of the publisher. */
export interface PublisherSettings {
  /** Partitions by the contract. They count until the first session is open. */
  readonly partitions: number;
  /** Interval at which an open session looks for new partitions, in milliseconds. */
  readonly refreshMs: number;
  /** Linger: how long the first queued event waits for others, in milliseconds. */
  readonly lingerMs: number;
  /** Maximum bytes of one partition in one send. The client does not split a batch, and the topic refuses a larger one as a whole. */
  readonly batchBytesMax: number;
  /** Maximum number of events that wait or are being sent. */
  readonly queueEventsMax: number;
  /** Maximum number of bytes that wait or are being sent. */
  readonly queueBytesMax: number;
  /**
   * Whether a failed batch also fails the events behind it in its partition, as `unavailable`. With an outbox this keeps their order.
   * Default false: the next session sends them.
   */
  readonly failBehind?: boolean;
  /** Back-off between attempts to open a session. */
  readonly reopen: BackOff;
}

/** Clock, randomness and observer of the publisher. */
export interface PublisherSurroundings {
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: PublisherObserver;
}

type State =
  | { readonly name: 'opening' }
  | { readonly name: 'open'; readonly session: WriterSession }
  | { readonly name: 'down'; readonly cause: unknown }
  | { readonly name: 'closed' };

/**
 * Publishes the events of concurrent requests in shared sends. One send is outstanding at a time, and later events queue behind it. An
 * event is acknowledged only after Kafka acknowledged it. After a failed send the publisher opens a new session with a new producer id. It
 * does not depend on the state that the failed send left. While Kafka is unreachable, the publisher refuses events at once and reconnects
 * with back-off.
 */
export class Publisher implements EventPublisher {
  readonly #writer: TopicWriter;
  readonly #settings: PublisherSettings;
  readonly #surroundings: PublisherSurroundings;
  readonly #queues: PartitionQueue[] = [];
  readonly #deadlines: CallDeadlines;
  readonly #stop = new AbortController();
  #accepting = true;
  #state: State = { name: 'closed' };
  #sending = false;
  #events = 0;
  #bytes = 0;
  #lingerTimer: unknown;
  #reopenTimer: unknown;
  #refreshTimer: unknown;
  #partitions: number;
  #openFailures = 0;
  #whenIdle: (() => void)[] = [];

  constructor(writer: TopicWriter, settings: PublisherSettings, surroundings: PublisherSurroundings) {
    this.#writer = writer;
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#deadlines = new CallDeadlines(surroundings.clock);
    this.#partitions = settings.partitions;
  }

  /** Partitions of the topic, as Kafka said last. */
  get partitions(): number {
    return this.#partitions;
  }

  /** Events that wait or are being sent. */
  get queuedEvents(): number {
    return this.#events;
  }

  /** Bytes that wait or are being sent. */
  get queuedBytes(): number {
    return this.#bytes;
  }

  /** Reason why the publisher refuses events now; undefined while it accepts them. */
  get downCause(): unknown {
    return this.#state.name === 'down' ? this.#state.cause : undefined;
  }

  /** Opens the first session and starts to accept events. */
  start(): void {
    if (this.#state.name === 'closed' && this.#accepting) void this.#open();
  }

  /** Publishes the events of one request: queues all of them or none. Resolves with one delivery per event, in order; never rejects. */
  async publish(messages: readonly EventMessage[], limits: PublishLimits): Promise<Delivery[]> {
    if (messages.length === 0) return [];
    const refusal = this.#refusalOf(messages);
    if (refusal !== undefined) {
      this.#surroundings.observe({ type: 'EventsFailed', reason: refusal.reason, events: messages.length });
      return messages.map(({ eventId }) => ({ kind: 'failed', eventId, ...refusal }));
    }
    this.#events += messages.length;
    this.#bytes += bytesOf(messages);
    const call = new PublishCall(messages, limits, this.#deadlines, (pending) => this.#leave([pending]));
    for (const pending of call.pending) if (pending.state === 'queued') this.#queueOf(pending.message.partition).push(pending);
    this.#wake();
    const deliveries = await call.deliveries;
    this.#report(deliveries);
    return deliveries;
  }

  /** Stops accepting events, waits until each queued event has its delivery, and closes the session. */
  async close(): Promise<void> {
    this.#accepting = false;
    if (this.#events > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    this.#stop.abort(new Error('the publisher is closed'));
    this.#surroundings.clock.clearTimeout(this.#reopenTimer);
    this.#surroundings.clock.clearTimeout(this.#refreshTimer);
    this.#deadlines.stop();
    if (this.#state.name === 'open') this.#state.session.close();
    this.#state = { name: 'closed' };
  }

  #refusalOf(messages: readonly EventMessage[]): { reason: FailureReason; cause?: unknown } | undefined {
    if (!this.#accepting) return { reason: 'stopping' };
    if (this.#state.name === 'down') return { reason: 'unavailable', cause: this.#state.cause };
    const { queueEventsMax, queueBytesMax } = this.#settings;
    const share = messages.length > 1 ? batchQueueShare : 1;
    const isFull = this.#events + messages.length > queueEventsMax * share || this.#bytes + bytesOf(messages) > queueBytesMax * share;
    if (isFull) return { reason: 'overloaded' };
    return undefined;
  }

  /** Sends now or after the linger, unless a send is outstanding or no session is open. */
  #wake(): void {
    if (this.#sending || this.#state.name !== 'open' || this.#isEmpty) return;
    const { clock } = this.#surroundings;
    const { lingerMs, batchBytesMax } = this.#settings;
    if (lingerMs === 0 || this.#queues.some(({ bytes }) => bytes >= batchBytesMax)) {
      void this.#send(this.#state.session);
    } else {
      this.#lingerTimer ??= clock.setTimeout(() => {
        this.#lingerTimer = undefined;
        if (!this.#sending && this.#state.name === 'open') void this.#send(this.#state.session);
      }, lingerMs);
    }
  }

  async #send(session: WriterSession): Promise<void> {
    const { clock, observe } = this.#surroundings;
    clock.clearTimeout(this.#lingerTimer);
    this.#lingerTimer = undefined;
    const batches = this.#queues
      .map((queue, partition) => ({ partition, pending: queue.take(this.#settings.batchBytesMax) }))
      .filter(({ pending }) => pending.length > 0);
    if (batches.length === 0) return;
    const all = batches.flatMap(({ pending }) => pending);
    for (const pending of all) pending.state = 'sending';
    this.#sending = true;
    const startedAt = clock.now();
    const outcomes = await session.send(
      batches.map(({ partition, pending }) => ({ partition, messages: pending.map(({ message }) => message) })),
      this.#stop.signal,
    );
    this.#sending = false;
    let writtenEvents = 0;
    let writtenBytes = 0;
    const causes: unknown[] = [];
    for (const { partition, pending } of batches) {
      const outcome = outcomes.get(partition)!;
      if (outcome.kind === 'written') {
        writtenEvents += pending.length;
        writtenBytes += bytesOf(pending.map(({ message }) => message));
      } else {
        causes.push(outcome.cause);
      }
      this.#conclude(partition, pending, outcome);
    }
    observe({
      type: 'SendFinished',
      events: all.length,
      bytes: bytesOf(all.map(({ message }) => message)),
      writtenEvents,
      writtenBytes,
      durationMs: clock.now() - startedAt,
      causes,
    });
    if (causes.length > 0) {
      session.close();
      await this.#open();
    } else if (this.#state.name === 'open' && !this.#isEmpty) {
      // Events that queued during this send have waited longer than the linger.
      void this.#send(session);
    }
  }

  #conclude(partition: number, batch: readonly Pending[], outcome: PartitionOutcome): void {
    const queue = this.#queueOf(partition);
    if (outcome.kind === 'too-large' && batch.length > 1) {
      this.#leave(batch.filter(({ state }) => state === 'settled'));
      const again = batch.filter(({ state }) => state !== 'settled');
      for (const pending of again) pending.state = 'queued';
      queue.putBack(again, batch.length);
      return;
    }
    this.#leave(batch);
    if (outcome.kind === 'written') {
      queue.written();
      for (const [index, pending] of batch.entries()) pending.call.succeed(pending, outcome.baseOffset + BigInt(index));
    } else {
      const reason = outcome.kind === 'not-written' ? 'unavailable' : outcome.kind;
      for (const pending of batch) pending.call.fail(pending, reason, outcome.cause);
      const isTransient = reason === 'unavailable' || reason === 'unknown';
      if (isTransient && this.#settings.failBehind === true) this.#failQueue(queue, outcome.cause);
    }
  }

  async #open(): Promise<void> {
    const { clock, random, observe } = this.#surroundings;
    // While Kafka is down, events are refused at once. No event waits for an attempt to reach a silent broker.
    if (this.#state.name !== 'down') this.#state = { name: 'opening' };
    try {
      const session = await this.#writer.open(this.#stop.signal);
      if (this.#stop.signal.aborted) {
        session.close();
        return;
      }
      this.#openFailures = 0;
      this.#state = { name: 'open', session };
      observe({ type: 'SessionOpened' });
      this.#usePartitions(session.partitions);
      this.#refreshLater(session);
      this.#wake();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#state = { name: 'down', cause: error };
      const retryInMs = backOffMs(this.#settings.reopen, this.#openFailures, random);
      this.#openFailures += 1;
      this.#reopenTimer = clock.setTimeout(() => void this.#open(), retryInMs);
      observe({ type: 'SessionOpenFailed', error, retryInMs });
      this.#failQueued(error);
    }
  }

  /** A topic may grow while events flow. Later events are spread over the new partitions too. */
  #usePartitions(partitions: number): void {
    if (partitions === this.#partitions) return;
    this.#partitions = partitions;
    this.#surroundings.observe({ type: 'PartitionsChanged', partitions });
  }

  #refreshLater(session: WriterSession): void {
    const { clock } = this.#surroundings;
    clock.clearTimeout(this.#refreshTimer);
    this.#refreshTimer = clock.setTimeout(() => void this.#refresh(session), this.#settings.refreshMs);
  }

  async #refresh(session: WriterSession): Promise<void> {
    const isOpen = (): boolean => this.#state.name === 'open' && this.#state.session === session;
    if (!isOpen()) return;
    // Without an answer the known number stays. A send notices by itself that Kafka is down.
    const partitions = await session.refresh(this.#stop.signal).catch(() => this.#partitions);
    if (!isOpen()) return;
    this.#usePartitions(partitions);
    this.#refreshLater(session);
  }

  /** Also of a partition that no session has named yet: the outbox may hold its events. */
  #queueOf(partition: number): PartitionQueue {
    while (this.#queues.length <= partition) this.#queues.push(new PartitionQueue());
    return this.#queues[partition]!;
  }

  #failQueued(cause: unknown): void {
    for (const queue of this.#queues) this.#failQueue(queue, cause);
  }

  #failQueue(queue: PartitionQueue, cause: unknown): void {
    for (let batch = queue.take(Number.POSITIVE_INFINITY); batch.length > 0; batch = queue.take(Number.POSITIVE_INFINITY)) {
      this.#leave(batch);
      for (const pending of batch) pending.call.fail(pending, 'unavailable', cause);
    }
  }

  /** Removes the events from the counts of the queue. */
  #leave(batch: readonly Pending[]): void {
    this.#events -= batch.length;
    for (const { message } of batch) this.#bytes -= message.bytes;
    if (this.#events > 0) return;
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }

  get #isEmpty(): boolean {
    return this.#queues.every(({ isEmpty }) => isEmpty);
  }

  #report(deliveries: readonly Delivery[]): void {
    if (deliveries.every(({ kind }) => kind === 'written')) return;
    const failed = new Map<FailureReason, number>();
    for (const delivery of deliveries) if (delivery.kind === 'failed') failed.set(delivery.reason, (failed.get(delivery.reason) ?? 0) + 1);
    for (const [reason, events] of failed) this.#surroundings.observe({ type: 'EventsFailed', reason, events });
  }
}

function bytesOf(messages: readonly EventMessage[]): number {
  return messages.reduce((sum, { bytes }) => sum + bytes, 0);
}
