import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { purchases } from '@millrace/contracts';
import { GlueCatalog, glueClient, s3Client, S3ObjectStore } from '@millrace/lake';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs';
import { SinkProcess } from './sink-process.ts';
import { testParts } from './test-parts.ts';

/** A row as a reader of the table sees it. */
export interface TableRow {
  readonly event_id: string;
  readonly dt: string;
  readonly _partition: number;
  readonly _offset: number;
}

/** A separate topic, bucket and database for one test on the real parts, and the sinks that use them. */
export class TestTable {
  readonly topic: string;
  readonly bucket: string;
  readonly database: string;
  readonly store: S3ObjectStore;
  readonly catalog: GlueCatalog;
  readonly partitions: number;
  readonly #s3 = s3Client({}, { endpoint: testParts.awsUrl, region: testParts.region, credentials: testParts.credentials });
  readonly #glue = glueClient({}, { endpoint: testParts.awsUrl, region: testParts.region, credentials: testParts.credentials });
  readonly #home: string;
  readonly #admin: Admin;
  readonly #producer: Producer;
  readonly #sinks: SinkProcess[] = [];

  private constructor(home: string, partitions: number) {
    const name = `sink-test-${randomUUID().slice(0, 8)}`;
    this.topic = name;
    this.bucket = name;
    this.database = name.replaceAll('-', '_');
    this.partitions = partitions;
    this.#home = home;
    this.store = new S3ObjectStore(this.#s3, this.bucket);
    this.catalog = new GlueCatalog(this.#glue, purchases, this.bucket, undefined, this.database);
    const kafka = new kafkajs.Kafka({ brokers: testParts.brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
    this.#admin = kafka.admin();
    this.#producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  }

  static async open({
    partitions = 4,
    retention = {},
  }: { readonly partitions?: number; readonly retention?: Readonly<Record<string, string>> } = {}): Promise<TestTable> {
    const table = new TestTable(await mkdtemp(join(tmpdir(), 'sink-test-')), partitions);
    await table.#s3.send(new CreateBucketCommand({ Bucket: table.bucket }));
    await table.catalog.ensureTable();
    await table.#admin.connect();
    await table.#admin.createTopics({
      topics: [
        {
          topic: table.topic,
          numPartitions: partitions,
          configEntries: Object.entries({ 'retention.ms': '-1', ...retention }).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    await table.#producer.connect();
    return table;
  }

  /**
   * Starts a sink on this table, `under` a command that becomes it. Sinks of the same group share the partitions and one spool directory.
   */
  async sink(settings: Readonly<Record<string, string>> = {}, under: readonly string[] = []): Promise<SinkProcess> {
    const sink = await SinkProcess.start(
      {
        MILLRACE_HOME: this.#home,
        SINK_TOPIC: this.topic,
        SINK_GROUP_ID: this.topic,
        LAKE_BUCKET: this.bucket,
        LAKE_DATABASE: this.database,
        SINK_FLUSH_SECONDS: '0.5',
        ...settings,
      },
      under,
    );
    this.#sinks.push(sink);
    return sink;
  }

  /** Directories of the encoded batches that wait on disk, in any sink's spool. */
  async spooled(): Promise<string[]> {
    const folders = await readdir(join(this.#home, 'spool'), { recursive: true }).catch(() => []);
    return folders
      .filter((folder) => /(^|\/)p\d+\/[^/]+$/.test(folder))
      .map((folder) => join(this.#home, 'spool', folder))
      .filter((folder) => existsSync(join(folder, 'manifest.json')));
  }

  /** Corrupt batches that a sink has set aside. */
  async setAside(): Promise<string[]> {
    return await readdir(join(this.#home, 'spool', 'corrupt')).catch(() => []);
  }

  async produce(messages: readonly Message[]): Promise<void> {
    for (let start = 0; start < messages.length; start += 1000)
      await this.#producer.send({ topic: this.topic, acks: -1, messages: messages.slice(start, start + 1000) });
  }

  /** The end of each partition. */
  async ends(): Promise<number[]> {
    const offsets = await this.#admin.fetchTopicOffsets(this.topic);
    return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  }

  /** Waits until every partition has landed to its end. Reads only the table and trusts no report of a sink. */
  async landed(withinMs = 90_000): Promise<readonly TableRow[]> {
    const ends = await this.ends();
    for (const until = Date.now() + withinMs; ; await delay(250)) {
      const reached = await Promise.all(ends.map(async (end, partition) => end === 0 || (await this.#headTo(partition)) === end));
      if (reached.every(Boolean)) {
        // The head is recorded before its files are visible.
        const files = await Promise.all(ends.map(async (_end, partition) => await this.#headFilesAreThere(partition)));
        if (files.every(Boolean)) return await this.rows();
      }
      if (Date.now() > until)
        throw new Error(
          `partitions ${reached.flatMap((one, partition) => (one ? [] : [partition])).join(', ')} did not land to their ends ${ends.join(', ')}`,
        );
    }
  }

  /** Every row of every visible file, read without any of the sink's code. */
  async rows(): Promise<readonly TableRow[]> {
    const rows: TableRow[] = [];
    for (const key of await this.keys(`${purchases.table}/`)) {
      const bytes = (await this.store.get(key))!;
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
      const dt = /dt=([^/]+)/.exec(key)?.[1] ?? '';
      for (const row of await parquetReadObjects({ file, compressors, columns: ['event_id', '_partition', '_offset'] })) {
        rows.push({ event_id: row['event_id'] as string, dt, _partition: Number(row['_partition']), _offset: Number(row['_offset']) });
      }
    }
    return rows;
  }

  async keys(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for (;;) {
      const page = await this.store.list(prefix, keys.length === 0 ? {} : { startAfter: keys.at(-1)! });
      keys.push(...page);
      if (page.length < 1000) return keys;
    }
  }

  async json(key: string): Promise<Record<string, unknown>> {
    return JSON.parse(Buffer.from((await this.store.get(key))!).toString()) as Record<string, unknown>;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sinks.map(async (sink) => await sink.end('SIGKILL')));
    await this.#producer.disconnect();
    await this.#admin.disconnect();
    this.#s3.destroy();
    this.#glue.destroy();
    await rm(this.#home, { recursive: true, force: true });
  }

  async #head(partition: number): Promise<Record<string, unknown> | undefined> {
    const [key] = await this.store.list(`_ledger/${purchases.table}/${this.topic}/p=${partition}/`, { limit: 1 });
    return key === undefined ? undefined : await this.json(key);
  }

  async #headTo(partition: number): Promise<number | undefined> {
    return (await this.#head(partition))?.['to'] as number | undefined;
  }

  async #headFilesAreThere(partition: number): Promise<boolean> {
    const head = (await this.#head(partition)) as { files: { key: string }[] } | undefined;
    for (const { key } of head?.files ?? []) if ((await this.store.size(key)) === undefined) return false;
    return true;
  }
}
