import type { ReplaySummary } from '@millrace/resilience';
import { FullForecast, type Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { Outbox } from './outbox/open-outbox.ts';
import type { FailureReason } from './publish/delivery.ts';
import type { Publisher } from './publish/publisher.ts';
import type { StreamWay } from './publish/stream-publishers.ts';
import type { PublisherEvent, PublisherObserver } from './publish/publisher-events.ts';

/** Turns the events of a stream's publisher into log lines and metrics. Purchases hold personal data and are not logged. */
export function publisherTelemetry(logger: Logger, metrics: Metrics, stream: string): PublisherObserver {
  const published = metrics.counter({
    name: 'millrace_purchase_events_published_total',
    help: 'Events that Kafka acknowledged.',
    labelNames: ['stream'],
  });
  const publishedBytes = metrics.counter({
    name: 'millrace_purchase_published_bytes_total',
    help: 'Bytes of events that Kafka acknowledged, keys and headers included.',
    labelNames: ['stream'],
  });
  const rejected = rejectionsOf(metrics, stream);
  const sends = metrics.histogram({
    name: 'millrace_purchase_send_seconds',
    help: 'Time of a send with all its attempts, by whether Kafka acknowledged all of it.',
    labelNames: ['stream', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const sendEvents = metrics.histogram({
    name: 'millrace_purchase_send_events',
    help: 'Events in a send.',
    labelNames: ['stream'],
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
  });
  const sessions = metrics.counter({
    name: 'millrace_purchase_kafka_sessions_total',
    help: 'Attempts to open a session with Kafka, by result.',
    labelNames: ['stream', 'result'],
  });

  published.inc({ stream }, 0);
  publishedBytes.inc({ stream }, 0);
  const sentences: { readonly [T in PublisherEvent['type']]: (event: Extract<PublisherEvent, { type: T }>) => void } = {
    SessionOpened: () => {
      sessions.inc({ stream, result: 'opened' });
      logger.info({ stream }, 'Kafka is reached; events are taken.');
    },
    PartitionsChanged: ({ partitions }) =>
      logger.info({ stream, partitions }, `The topic has ${partitions} partitions; new events are spread over them.`),
    SessionOpenFailed: ({ error, retryInMs }) => {
      sessions.inc({ stream, result: 'failed' });
      logger.warn({ stream, err: error, retryInMs }, 'Kafka cannot be reached; events go to the outbox, or are refused without one.');
    },
    SendFinished: ({ causes, events, bytes, writtenEvents, writtenBytes, durationMs }) => {
      published.inc({ stream }, writtenEvents);
      publishedBytes.inc({ stream }, writtenBytes);
      sendEvents.observe({ stream }, events);
      sends.observe({ stream, outcome: causes.length === 0 ? 'written' : 'failed' }, durationMs / 1000);
      if (causes.length > 0)
        logger.warn(
          { stream, err: causes[0], events, bytes, writtenEvents, durationMs },
          'A send failed, in whole or in part; the producer is replaced.',
        );
    },
    EventsFailed: ({ reason, events }) => rejected(reason, events),
  };
  return (event) => (sentences[event.type] as (event: PublisherEvent) => void)(event);
}

/** Counts the events of a stream that were not acknowledged. `invalid`: the event breaks the contract. */
export function rejectionsOf(metrics: Metrics, stream: string): (reason: FailureReason | 'invalid', events: number) => void {
  const rejected = metrics.counter({
    name: 'millrace_purchase_events_rejected_total',
    help: 'Events that were not acknowledged, by reason; after "unknown" they may be in the topic.',
    labelNames: ['stream', 'reason'],
  });
  return (reason, events) => rejected.inc({ stream, reason }, events);
}

/** Logs and counts the events of the outbox. */
export interface OutboxObserver {
  /** Events are durable on disk. */
  readonly onQueued: (events: number) => void;
  /** A pass published events. */
  readonly onReplayed: (summary: ReplaySummary) => void;
  /** The drainer could not read or write the log. */
  readonly onError: (error: unknown) => void;
}

/** Turns the events of the outbox into log lines and metrics. */
export function outboxTelemetry(logger: Logger, metrics: Metrics): OutboxObserver {
  const queued = metrics.counter({ name: 'millrace_purchase_outbox_queued_total', help: 'Events acknowledged from the outbox on disk.' });
  const replayed = metrics.counter({
    name: 'millrace_purchase_outbox_replayed_total',
    help: 'Events of the outbox that Kafka acknowledged later.',
  });
  return {
    onQueued: (events) => queued.inc(events),
    onReplayed: (summary) => {
      replayed.inc(summary.replayed);
      if (summary.kept === 0) logger.info({ replayed: summary.replayed }, 'The outbox is drained.');
    },
    onError: (error) => logger.error({ err: error }, 'The outbox could not be drained; the drainer tries again.'),
  };
}

/** Gauges of the outbox, read when they are scraped. */
export function gaugeOutbox(metrics: Metrics, { log, queue }: Pick<Outbox, 'log' | 'queue'>): void {
  const forecast = new FullForecast();
  metrics.observe('millrace_purchase_outbox_events', 'Events in the outbox that are not in Kafka.', () => queue.entries);
  metrics.observe('millrace_purchase_outbox_bytes', 'Bytes of the outbox on disk.', () => log.bytes);
  metrics.observe('millrace_purchase_outbox_bytes_max', 'Limit of the bytes of the outbox.', () => log.bytesMax);
  metrics.observe(
    'millrace_purchase_outbox_full_seconds',
    'Time until the outbox is full at the rate of the last minute; +Inf while it does not grow.',
    () => {
      forecast.sample(Date.now(), log.bytes);
      return forecast.msToFull(log.bytesMax) / 1000;
    },
  );
}

/** Gauges of each stream, read when they are scraped. */
export function gaugePublishers(metrics: Metrics, ways: readonly StreamWay[]): void {
  const gauge = (name: string, help: string, read: (publisher: Publisher) => number): void => {
    metrics.gauge({
      name,
      help,
      labelNames: ['stream'],
      collect() {
        for (const { stream, publisher } of ways) this.set({ stream: stream.name }, read(publisher));
      },
    });
  };
  gauge('millrace_purchase_queue_events', 'Events that wait for Kafka, including events in flight.', ({ queuedEvents }) => queuedEvents);
  gauge(
    'millrace_purchase_queue_bytes',
    'Bytes of events that wait for Kafka, including events in flight.',
    ({ queuedBytes }) => queuedBytes,
  );
  gauge('millrace_purchase_kafka_up', '1 while Kafka accepts events of the stream, 0 while it does not.', ({ downCause }) =>
    downCause === undefined ? 1 : 0,
  );
}
