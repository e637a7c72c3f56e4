import type { FailureReason } from './delivery.ts';

/** Events of the publisher, for logs and metrics. */
export type PublisherEvent =
  | { readonly type: 'SessionOpened' }
  | { readonly type: 'PartitionsChanged'; readonly partitions: number }
  | { readonly type: 'SessionOpenFailed'; readonly error: unknown; readonly retryInMs: number }
  | {
      readonly type: 'SendFinished';
      readonly events: number;
      readonly bytes: number;
      readonly writtenEvents: number;
      readonly writtenBytes: number;
      readonly durationMs: number;
      readonly causes: readonly unknown[];
    }
  | { readonly type: 'EventsFailed'; readonly reason: FailureReason; readonly events: number };

/** Receives the events of the publisher. */
export type PublisherObserver = (event: PublisherEvent) => void;
