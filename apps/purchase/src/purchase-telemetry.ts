import type { ReplaySummary } from '@millrace/resilience';
import { FullForecast, type Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { Outbox } from './outbox/open-outbox.ts';
import type { FailureReason } from './publish/delivery.ts';
import type { Publisher } from './publish/publisher.ts';
import type { PublisherEvent, PublisherObserver } from './publish/publisher-events.ts';

/** Turns what the publisher does into log lines and metrics. Events hold personal data and are not logged. */
export function purchaseTelemetry(logger: Logger, metrics: Metrics): PublisherObserver {
  const published = metrics.counter({ name: 'millrace_purchase_events_published_total', help: 'Events that Kafka acknowledged.' });
  const publishedBytes = metrics.counter({
    name: 'millrace_purchase_published_bytes_total',
    help: 'Bytes of events that Kafka acknowledged, keys and headers included.',
  });
  const rejected = rejections(metrics);
  const sends = metrics.histogram({
    name: 'millrace_purchase_send_seconds',
    help: 'Time of a send with all its attempts, by whether Kafka acknowledged all of it.',
    labelNames: ['outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const sendEvents = metrics.histogram({
    name: 'millrace_purchase_send_events',
    help: 'Events in a send.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
  });
  const sessions = metrics.counter({
    name: 'millrace_purchase_kafka_sessions_total',
    help: 'Attempts to open a session with Kafka, by result.',
    labelNames: ['result'],
  });

  const sentences: { readonly [T in PublisherEvent['type']]: (event: Extract<PublisherEvent, { type: T }>) => void } = {
    SessionOpened: () => {
      sessions.inc({ result: 'opened' });
      logger.info('Kafka is reached; purchases are taken.');
    },
    SessionOpenFailed: ({ error, retryInMs }) => {
      sessions.inc({ result: 'failed' });
      logger.warn({ err: error, retryInMs }, 'Kafka cannot be reached; purchases go to the outbox, or are refused without one.');
    },
    SendFinished: ({ causes, events, bytes, writtenEvents, writtenBytes, durationMs }) => {
      published.inc(writtenEvents);
      publishedBytes.inc(writtenBytes);
      sendEvents.observe(events);
      sends.observe({ outcome: causes.length === 0 ? 'written' : 'failed' }, durationMs / 1000);
      if (causes.length > 0)
        logger.warn(
          { err: causes[0], events, bytes, writtenEvents, durationMs },
          'A send failed, in whole or in part; the producer is replaced.',
        );
    },
    EventsFailed: ({ reason, events }) => rejected.inc({ reason }, events),
  };
  return (event) => (sentences[event.type] as (event: PublisherEvent) => void)(event);
}

/** Counts a purchase that breaks the contract. */
export function invalidPurchases(metrics: Metrics): () => void {
  const rejected = rejections(metrics);
  return () => rejected.inc({ reason: 'invalid' });
}

function rejections(metrics: Metrics): ReturnType<Metrics['counter']> {
  return metrics.counter({
    name: 'millrace_purchase_events_rejected_total',
    help: 'Events that were not acknowledged, by reason; after "unknown" they may be in the topic.',
    labelNames: ['reason'],
  });
}

/** Logs and counts what happens to the outbox. */
export interface OutboxObserver {
  /** Events are durable on disk. */
  readonly onQueued: (events: number) => void;
  /** Neither Kafka nor the outbox has the events. */
  readonly onFailed: (reason: FailureReason, events: number) => void;
  /** A pass published events. */
  readonly onReplayed: (summary: ReplaySummary) => void;
  /** The drainer could not read or write the log. */
  readonly onError: (error: unknown) => void;
}

/** Turns what happens to the outbox into log lines and metrics. */
export function outboxTelemetry(logger: Logger, metrics: Metrics): OutboxObserver {
  const queued = metrics.counter({ name: 'millrace_purchase_outbox_queued_total', help: 'Events acknowledged from the outbox on disk.' });
  const replayed = metrics.counter({
    name: 'millrace_purchase_outbox_replayed_total',
    help: 'Events of the outbox that Kafka acknowledged later.',
  });
  const rejected = rejections(metrics);
  return {
    onQueued: (events) => queued.inc(events),
    onFailed: (reason, events) => rejected.inc({ reason }, events),
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

/** Gauges read when they are scraped. */
export function gaugePublisher(metrics: Metrics, publisher: Publisher): void {
  metrics.observe(
    'millrace_purchase_queue_events',
    'Events that wait for Kafka, those on their way included.',
    () => publisher.queuedEvents,
  );
  metrics.observe(
    'millrace_purchase_queue_bytes',
    'Bytes of events that wait for Kafka, those on their way included.',
    () => publisher.queuedBytes,
  );
  metrics.observe('millrace_purchase_kafka_up', '1 while Kafka can be reached, 0 while it cannot.', () =>
    publisher.downCause === undefined ? 1 : 0,
  );
}
