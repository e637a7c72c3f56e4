import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import kafkajs from 'kafkajs';
import type { EventNumbers } from './event-number.ts';
import { compare, type Verdict } from './compare.ts';

/** Places that the judge reads. */
export interface JudgeOptions {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly table: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly numbers: EventNumbers;
}

/**
 * Counts events like an independent reader. A plain consumer reads the topic. Another Parquet library reads the listed files of the table.
 * It shares no code with the sink, the ledger or the audit.
 */
export class Judge {
  readonly #options: JudgeOptions;
  // Files are immutable, so each is read once; that it still is there is looked up every time.
  readonly #files = new Map<string, readonly Row[]>();
  readonly #log: number[][];

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#log = Array.from({ length: options.partitions }, () => []);
  }

  /** Compares everything in the topic with everything that a reader of the table sees. */
  async verdict(isAcknowledged: (number: number) => boolean, sent: number): Promise<Verdict> {
    await this.#readTopic();
    const files = await this.#readTable();
    return compare({ log: this.#log, files, isAcknowledged, sent });
  }

  /** Event numbers by partition and offset, as last read; NaN for events of others. */
  get log(): readonly (readonly number[])[] {
    return this.#log;
  }

  /** Rows a reader of the table sees now. */
  async rowCount(): Promise<number> {
    let rows = 0;
    for (const file of (await this.#readTable()).values()) rows += file.length;
    return rows;
  }

  async #readTable(): Promise<ReadonlyMap<string, readonly Row[]>> {
    const { s3, bucket, table } = this.#options;
    const visible = new Map<string, readonly Row[]>();
    let token: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${table}/`, ...(token === undefined ? {} : { ContinuationToken: token }) }),
      );
      for (const { Key: key = '' } of page.Contents ?? [])
        if (key.endsWith('.parquet')) visible.set(key, this.#files.get(key) ?? (await this.#readFile(key)));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    for (const [key, rows] of visible) this.#files.set(key, rows);
    return visible;
  }

  async #readFile(key: string): Promise<readonly Row[]> {
    const { s3, bucket, numbers } = this.#options;
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const bytes = await body!.transformToByteArray();
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file, columns: ['event_id', '_partition', '_offset'], compressors });
    return rows.map(({ event_id: id, _partition: partition, _offset: offset }) => ({
      number: numbers.number(String(id)) ?? Number.NaN,
      partition: Number(partition),
      offset: Number(offset),
    }));
  }

  async #readTopic(): Promise<void> {
    const { brokers, topic, numbers } = this.#options;
    const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 10 } });
    const admin = kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const isRead = (): boolean => ends.every(({ partition, high }) => this.#log[partition]!.length >= Number(high));
    if (isRead()) return;
    const consumer = kafka.consumer({ groupId: `judge-${process.pid}-${Date.now()}`, sessionTimeout: 30_000 });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('the topic could not be read to its end in 120 s')), 120_000);
        consumer.on(consumer.events.GROUP_JOIN, () => {
          for (const [partition, read] of this.#log.entries()) consumer.seek({ topic, partition, offset: String(read.length) });
        });
        consumer
          .run({
            autoCommit: false,
            eachBatch: async ({ batch }) => {
              const read = this.#log[batch.partition]!;
              for (const { offset, headers } of batch.messages) {
                if (Number(offset) === read.length) read.push(numbers.number(String(headers?.['ce_id'])) ?? Number.NaN);
              }
              if (!isRead()) return;
              clearTimeout(late);
              resolve();
            },
          })
          .catch(reject);
      });
    } finally {
      await consumer.disconnect();
    }
  }
}

/** A row as the judge needs it. */
export interface Row {
  /** The event's number; NaN when its id is not of this run. */
  readonly number: number;
  readonly partition: number;
  readonly offset: number;
}
