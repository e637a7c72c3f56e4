import type { TObject } from 'typebox';
import { purchaseEventSchema } from './purchase-event.ts';
import { columnsOf, type Column } from './table.ts';

/** Settings of a topic that are part of its contract. */
export interface TopicContract {
  readonly name: string;
  /** Changing the number breaks the order per key, so it is fixed for the topic's life. */
  readonly partitions: number;
  /** Configuration entries as Kafka names them. */
  readonly config: Readonly<Record<string, string>>;
  /** Largest record batch in bytes, keys and headers included. */
  readonly maxMessageBytes: number;
}

/** One stream, from topic to table. A second stream is a second declaration, not new code. */
export interface Stream {
  readonly name: string;
  readonly topic: TopicContract;
  /** Field of the event that is the message key. */
  readonly keyField: string;
  readonly eventSchema: TObject;
  /** Value of the CloudEvents `ce_type` header. */
  readonly eventType: string;
  /** Value of the CloudEvents `ce_source` header. */
  readonly eventSource: string;
  /** Name under which producers with an AWS SDK put events, as the delivery stream of Firehose. Default: they cannot. */
  readonly deliveryStream?: string;
  readonly database: string;
  readonly table: string;
  readonly columns: readonly Column[];
  /** Name of the table's partition key; its values are the UTC dates of `timeField`. */
  readonly partitionKey: string;
  /** Field of the event that gives the partition key, in epoch seconds. */
  readonly timeField: string;
  /** Columns by which the rows of one file are sorted; sorting by the buyer made files a third smaller. */
  readonly sortColumns: readonly string[];
  /** Version of the contract, written into every ledger entry. */
  readonly contract: string;
}

/** The purchases of the bookstore. */
export const purchases: Stream = {
  name: 'purchases',
  topic: {
    name: 'bookstore.purchases.v1',
    partitions: 8,
    config: {
      // The topic is the source of truth: everything else is rebuilt from it.
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'cleanup.policy': 'delete',
      'max.message.bytes': String(1024 * 1024),
    },
    maxMessageBytes: 1024 * 1024,
  },
  keyField: 'userId',
  eventSchema: purchaseEventSchema,
  eventType: 'com.millrace.bookstore.purchase.v1',
  eventSource: '/millrace/purchase',
  deliveryStream: 'books-purchase-stream',
  database: 'bookstore',
  table: 'purchases',
  columns: columnsOf(purchaseEventSchema),
  partitionKey: 'dt',
  timeField: 'purchaseTimestamp',
  sortColumns: ['user_id', 'purchase_timestamp'],
  contract: 'bookstore.purchases.v1/1',
};

/** Every stream Millrace carries. */
export const streams: readonly Stream[] = [purchases];

/** The UTC date (`YYYY-MM-DD`) of a time in epoch seconds: the value of the partition key `dt`. */
export function utcDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10);
}
