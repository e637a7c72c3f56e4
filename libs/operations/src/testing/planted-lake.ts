import { createHash, randomUUID } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { utcDate } from '@millrace/contracts';
import {
  Compaction,
  dataKey,
  defaultCompaction,
  Ledger,
  Projection,
  publish,
  rejectsKey,
  s3Client,
  stagedKey,
  type LaneId,
  type LedgerEntry,
  type Pass,
} from '@millrace/lake';
import { Duck, quoted } from '../lake/duck.ts';
import type { Lake } from '../lake/open-lake.ts';
import { parquetFile } from '../lake/parquet-file.ts';
import { openTarget, type Target } from '../target.ts';

/** Returns the environment of the tests' stack with a private bucket and database. */
export function ownEnv(): Record<string, string> {
  const given = Object.fromEntries(Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined));
  const id = randomUUID().slice(0, 8);
  return { ...given, LAKE_BUCKET: `operator-${id}`, LAKE_DATABASE: `operator_${id}` };
}

/** One record of the planted log. */
export interface PlantedRecord {
  readonly eventId: string;
  /** Event time in epoch seconds. */
  readonly at: number;
  readonly bookId?: string;
  /** Why it was not taken as a row. */
  readonly fate?: 'rejected' | 'dropped' | 'absent';
  /** The offset that its row shows, where the writer was wrong. */
  readonly shown?: number;
}

/** A lake of real objects, written without the sink. */
export class PlantedLake {
  readonly env: Readonly<Record<string, string>>;
  readonly target: Target;
  readonly #duck: Duck;
  readonly #heads = new Map<number, LedgerEntry>();

  private constructor(env: Readonly<Record<string, string>>, target: Target, duck: Duck) {
    this.env = env;
    this.target = target;
    this.#duck = duck;
  }

  static async open(env = ownEnv()): Promise<PlantedLake> {
    const target = openTarget(env);
    const { lake } = target;
    const s3 = s3Client();
    await s3.send(new CreateBucketCommand({ Bucket: lake.bucket }));
    s3.destroy();
    await lake.catalog.ensureTable();
    return new PlantedLake(env, target, await Duck.open(256));
  }

  get lake(): Lake {
    return this.target.lake;
  }

  lane(partition: number): LaneId {
    return { table: this.lake.stream.table, topic: this.lake.stream.topic.name, partition };
  }

  /** Lands a batch of a lane: real Parquet, staged, recorded, published and registered. */
  async land(partition: number, records: readonly PlantedRecord[]): Promise<LedgerEntry> {
    const { store, stream, catalog } = this.lake;
    const lane = this.lane(partition);
    const head = this.#heads.get(partition);
    const from = head?.to ?? 0;
    const range = { id: randomUUID(), from, to: from + records.length };
    const placed = records.map((record, n) => ({ ...record, offset: from + n }));
    const offsetsOf = (fate: PlantedRecord['fate']): [number, number][] =>
      placed.filter((record) => record.fate === fate).map(({ offset }) => [offset, offset + 1]);
    const files: LedgerEntry['files'] = [];
    for (const dt of new Set(placed.filter(({ fate }) => fate === undefined).map(({ at }) => utcDate(at)))) {
      const rows = placed.filter(({ fate, at }) => fate === undefined && utcDate(at) === dt);
      const values = rows.map(
        ({ eventId, bookId = randomUUID(), at, offset, shown }) =>
          `(${quoted(eventId)}, ${quoted(bookId)}, 'Orlando', 'Virginia Woolf', 'Fiction', 'test-user', 'country', 24, make_timestamp(${at}::BIGINT * 1000000), ${partition}, ${shown ?? offset})`,
      );
      const bytes = await parquetFile(
        this.#duck,
        stream,
        `SELECT * FROM (VALUES ${values.join(', ')}) AS rows (${[...stream.columns.map(({ name }) => name), '_partition', '_offset'].join(', ')})`,
      );
      const staged = stagedKey(lane.table, range.id, files.length);
      await store.put(staged, bytes);
      files.push({
        key: dataKey(lane, stream.partitionKey, dt, range),
        staged,
        dt,
        rows: rows.length,
        bytes: bytes.byteLength,
        sha256: sha256(bytes),
        minTimestamp: Math.min(...rows.map(({ at }) => at)),
        maxTimestamp: Math.max(...rows.map(({ at }) => at)),
      });
    }
    const rejected = placed.filter(({ fate }) => fate === 'rejected');
    let rejects: LedgerEntry['rejects'];
    if (rejected.length > 0) {
      const bytes = Buffer.from(
        rejected.map(({ offset, eventId, at }) => `${rejectLine(stream.topic.name, partition, offset, eventId, at)}\n`).join(''),
      );
      rejects = {
        key: rejectsKey(lane, range),
        staged: stagedKey(lane.table, range.id, 'rejects'),
        count: rejected.length,
        bytes: bytes.byteLength,
        sha256: sha256(bytes),
      };
      await store.put(rejects.staged, bytes);
    }
    const entry: LedgerEntry = {
      v: 1,
      ...range,
      prev: head?.id ?? null,
      kind: 'batch',
      dropped: offsetsOf('dropped'),
      rejected: offsetsOf('rejected'),
      absent: offsetsOf('absent'),
      files,
      ...(rejects === undefined ? {} : { rejects }),
      last: { offset: range.to - 1, timestamp: '1' },
      topic: { cluster: 'planted' },
      writer: 'test',
      contract: stream.contract,
    };
    const outcome = await new Ledger(store, lane).record(
      entry,
      { wait: async (_attempt, error) => await Promise.reject(error) },
      new AbortController().signal,
    );
    if (outcome.outcome !== 'mine') throw new Error('another writer is in this test');
    await publish(store, entry);
    await catalog.register(files.map(({ dt }) => dt));
    this.#heads.set(partition, entry);
    return entry;
  }

  /** A projector of the Iceberg table. */
  projection(): Projection {
    const { store, stream, bucket } = this.lake;
    return new Projection({
      store,
      bucket,
      stream,
      catalog: { read: async () => undefined, move: async () => undefined },
      writer: 'planted',
      now: Date.now,
      newId: randomUUID,
      rowsOf: async () => 0,
      onPointerFailure: () => undefined,
    });
  }

  /** Merges the files of one day in the Iceberg table. `rowsOf` makes the merged rows of a relation, where a rewriter was wrong. */
  async compact(projection: Projection, rowsOf = (relation: string): string => `SELECT * FROM ${relation}`): Promise<Pass> {
    const { stream, bucket } = this.lake;
    const duck = await Duck.openFor(this.target, 256);
    try {
      return await new Compaction(
        projection.table,
        {
          async rewrite(_dt, inputs) {
            const files = inputs.map(({ key }) => quoted(`s3://${bucket}/${key}`)).join(', ');
            const body = await parquetFile(duck, stream, rowsOf(`read_parquet([${files}], hive_partitioning = false)`));
            const rows = inputs.reduce((sum, input) => sum + input.rows, 0);
            const bounds = [0, 2 ** 31 - 1] as const;
            const facts = { seconds: bounds, partitions: bounds, offsets: bounds, lostRows: 0 };
            return { body, bytes: body.byteLength, rows, ...facts, dispose: async () => undefined };
          },
        },
        { limits: { ...defaultCompaction, filesMin: 2 } },
      ).pass();
    } finally {
      duck.close();
    }
  }

  close(): void {
    this.#duck.close();
    this.target.close();
  }
}

/** Records with new ids, one a second. */
export function plantedRecords(count: number, at = 1_575_121_641): PlantedRecord[] {
  return Array.from({ length: count }, (_, n) => ({ eventId: randomUUID(), at: at + n }));
}

function rejectLine(topic: string, partition: number, offset: number, eventId: string, at: number): string {
  const value = {
    eventId,
    bookId: randomUUID(),
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: 'test-user',
    userCountry: 'country',
    userAge: 240,
    purchaseTimestamp: at,
  };
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp: String(at * 1000),
    reason: 'userAge must be at most 150',
    key: base64('test-user'),
    value: base64(JSON.stringify(value)),
    headers: { ce_id: base64(eventId) },
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
