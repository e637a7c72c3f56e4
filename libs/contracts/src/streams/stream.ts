import type { TObject, TProperties } from 'typebox';
import type { Column } from './table.ts';

/** Settings of a topic that are part of its contract. */
export interface TopicContract {
  readonly name: string;
  /** Partitions at the creation of the topic. A topic may grow later, so the number is a lower bound. */
  readonly partitions: number;
  /** Configuration entries as Kafka names them. */
  readonly config: Readonly<Record<string, string>>;
  /** Largest record batch in bytes, keys and headers included. */
  readonly maxMessageBytes: number;
}

/** Largest partition that requests may name. It is far above the number of partitions of any topic, whose growth no contract knows. */
export const partitionMax = 100_000;

/** When the sink seals a batch of the stream, unless its settings say otherwise. */
export interface BufferingHints {
  /** Bytes of raw lines, 1 KiB to 1 GiB. */
  readonly flushBytes: number;
  /** Age of the first record of the batch in seconds, 0.1 to 3,600. */
  readonly flushSeconds: number;
}

/** Compressions of data files that Athena, Trino, Spark and DuckDB all read. */
export const fileCodecs = ['zstd', 'snappy', 'gzip'] as const;
export type FileCodec = (typeof fileCodecs)[number];

/** One stream, from REST to table. `defineStream` makes it out of a declaration; a second stream is a second declaration, not new code. */
export interface Stream<Fields extends TProperties = TProperties> {
  /** Name in lower-case words with hyphens, in the plural: `/v1/<name>` is the route. */
  readonly name: string;
  /** Name of one event in Pascal case, in the singular: it names the types of the documents. */
  readonly title: string;
  /** The title in words, for sentences: `book view`. */
  readonly noun: string;
  readonly topic: TopicContract;
  /** Field of the event that is the message key. */
  readonly keyField: string;
  /** An event in the topic. Unknown fields are ignored: a newer producer may send them. */
  readonly eventSchema: TObject<Fields>;
  /** An event as a client posts it: {@link identityField} may be left to the service, and an unknown field is an error. */
  readonly requestSchema: TObject;
  /** Value of the CloudEvents `ce_type` header. */
  readonly eventType: string;
  /** Value of the CloudEvents `ce_source` header of events that the purchase API accepts. */
  readonly eventSource: string;
  /** Name of the Firehose delivery stream under which producers with an AWS SDK put events. Absent: they cannot. */
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
  readonly buffering: BufferingHints;
  /** Compression of the table's files. Files of another codec, written before a change, stay readable. */
  readonly fileCodec: FileCodec;
}

/**
 * Field that identifies an event, in every stream: a UUID. The sink drops a record whose identity is in its deduplication window. One name
 * for all streams keeps the check of a record simple.
 */
export const identityField = 'eventId';

/** The scope that a caller needs to post events of a stream. */
export function writeScopeOf({ name }: Pick<Stream, 'name'>): `${string}:write` {
  return `${name}:write`;
}

/** The UTC date (`YYYY-MM-DD`) of a time in epoch seconds: the value of the partition key `dt`. */
export function utcDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10);
}
