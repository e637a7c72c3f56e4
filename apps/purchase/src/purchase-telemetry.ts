import type { Metrics } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { Publisher } from './publish/publisher.ts';
import type { PublisherEvent, PublisherObserver } from './publish/publisher-events.ts';

/** Turns what the publisher does into log lines and metrics. Events hold personal data and are not logged. */
export function purchaseTelemetry(logger: Logger, metrics: Metrics): PublisherObserver {
  const published = metrics.counter({ name: 'millrace_purchase_events_published_total', help: 'Events that Kafka acknowledged.' });
  const publishedBytes = metrics.counter({ name: 'millrace_purchase_published_bytes_total', help: 'Bytes of events that Kafka acknowledged, keys and headers included.' });
  const rejected = rejections(metrics);
  const sends = metrics.histogram({ name: 'millrace_purchase_send_seconds', help: 'Time of a send with all its attempts, by whether Kafka acknowledged all of it.', labelNames: ['outcome'], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
  const sendEvents = metrics.histogram({ name: 'millrace_purchase_send_events', help: 'Events in a send.', buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] });
  const sessions = metrics.counter({ name: 'millrace_purchase_kafka_sessions_total', help: 'Attempts to open a session with Kafka, by result.', labelNames: ['result'] });

  const sentences: { readonly [T in PublisherEvent['type']]: (event: Extract<PublisherEvent, { type: T }>) => void } = {
    SessionOpened: () => {
      sessions.inc({ result: 'opened' });
      logger.info('Kafka is reached; purchases are taken.');
    },
    SessionOpenFailed: ({ error, retryInMs }) => {
      sessions.inc({ result: 'failed' });
      logger.warn({ err: error, retryInMs }, 'Kafka cannot be reached; purchases are refused until it is.');
    },
    SendFinished: ({ causes, events, bytes, writtenEvents, writtenBytes, durationMs }) => {
      published.inc(writtenEvents);
      publishedBytes.inc(writtenBytes);
      sendEvents.observe(events);
      sends.observe({ outcome: causes.length === 0 ? 'written' : 'failed' }, durationMs / 1000);
      if (causes.length > 0) logger.warn({ err: causes[0], events, bytes, writtenEvents, durationMs }, 'A send failed, in whole or in part; the producer is replaced.');
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
  return metrics.counter({ name: 'millrace_purchase_events_rejected_total', help: 'Events that were not acknowledged, by reason; after "unknown" they may stand in the topic.', labelNames: ['reason'] });
}

/** Gauges read when they are scraped. */
export function gaugePublisher(metrics: Metrics, publisher: Publisher): void {
  const read = (name: string, help: string, value: () => number): void => {
    const gauge = metrics.gauge({
      name,
      help,
      collect() {
        gauge.set(value());
      },
    });
  };
  read('millrace_purchase_queue_events', 'Events that wait for Kafka, those on their way included.', () => publisher.queuedEvents);
  read('millrace_purchase_queue_bytes', 'Bytes of events that wait for Kafka, those on their way included.', () => publisher.queuedBytes);
  read('millrace_purchase_kafka_up', '1 while Kafka can be reached, 0 while it cannot.', () => (publisher.downCause === undefined ? 1 : 0));
}
