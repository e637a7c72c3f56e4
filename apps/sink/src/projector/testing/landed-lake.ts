import { createHash, randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { purchases, utcDate } from '@millrace/contracts';
import { chainStart, dataKey, entryBytes, entryKey, type ChainEnd, type LaneId, type LedgerEntry, type ObjectStore } from '@millrace/lake';
import { copyStatement } from '../../batch/duckdb-encoder.ts';

/** Lands real batches without Kafka: Parquet files as the sink encodes them, and their entries. */
export class LandedLake {
  readonly #store: ObjectStore;
  readonly #duckdb: DuckDBInstance;
  readonly #ends = new Map<number, ChainEnd>();

  private constructor(store: ObjectStore, duckdb: DuckDBInstance) {
    this.#store = store;
    this.#duckdb = duckdb;
  }

  static async open(store: ObjectStore): Promise<LandedLake> {
    return new LandedLake(store, await DuckDBInstance.create(':memory:'));
  }

  close(): void {
    this.#duckdb.closeSync();
  }

  /** Records and publishes a batch with one event per time, in epoch seconds. `old` writes files without `dt`, as earlier sinks did. */
  async land(partition: number, times: readonly number[], { old = false } = {}): Promise<LedgerEntry> {
    const entry = await this.record(partition, times, { old });
    for (const { key, staged } of entry.files) await this.#store.copy(staged, key);
    return entry;
  }

  /** Records a batch and leaves its files staged. */
  async record(partition: number, times: readonly number[], { old = false } = {}): Promise<LedgerEntry> {
    const lane: LaneId = { table: purchases.table, topic: purchases.topic.name, partition };
    const end = this.#ends.get(partition) ?? chainStart;
    const range = { id: randomUUID(), from: end.to, to: end.to + times.length };
    const files: LedgerEntry['files'] = [];
    const rows = times.map((time, n) => ({ offset: end.to + n, time }));
    for (const [dt, some] of Object.entries(Object.groupBy(rows, ({ time }) => utcDate(time)))) {
      const staged = `_staging/${lane.table}/${range.id}/${files.length}`;
      const body = await this.#parquet(partition, dt, some!, old);
      await this.#store.put(staged, body);
      files.push({
        key: dataKey(lane, purchases.partitionKey, dt, range),
        staged,
        dt,
        rows: some!.length,
        bytes: body.byteLength,
        sha256: createHash('sha256').update(body).digest('hex'),
        minTimestamp: Math.min(...some!.map(({ time }) => time)),
        maxTimestamp: Math.max(...some!.map(({ time }) => time)),
      });
    }
    const entry: LedgerEntry = {
      v: 1,
      id: range.id,
      prev: end.id,
      kind: 'batch',
      from: range.from,
      to: range.to,
      dropped: [],
      rejected: [],
      absent: [],
      files,
      topic: { cluster: 'test' },
      writer: 'test',
      contract: purchases.contract,
    };
    await this.#store.put(entryKey(lane, range.from), entryBytes(entry), { ifAbsent: true });
    this.#ends.set(partition, { to: range.to, id: range.id });
    return entry;
  }

  async #parquet(partition: number, dt: string, rows: readonly { offset: number; time: number }[], old: boolean): Promise<Uint8Array> {
    const path = join(tmpdir(), `millrace-${randomUUID()}`);
    const lines = rows.map(({ offset, time }) =>
      JSON.stringify({
        _offset: offset,
        eventId: randomUUID(),
        bookId: randomUUID(),
        title: `Title ${offset % 7}`,
        author: 'Ursula K. Le Guin',
        genre: ['Fiction', 'Essay'][offset % 2],
        userId: `user-${offset % 13}`,
        userCountry: 'DE',
        userAge: offset % 90,
        purchaseTimestamp: time,
      }),
    );
    await writeFile(path, `${lines.join('\n')}\n`);
    const statement = copyStatement(purchases, path, `${path}.parquet`, { partition, dt });
    const connection = await this.#duckdb.connect();
    try {
      await connection.run(old ? statement.replace(`'${dt}' AS dt, `, '').replace('dt: 1000, ', '') : statement);
      return await readFile(`${path}.parquet`);
    } finally {
      connection.closeSync();
      await Promise.all([rm(path, { force: true }), rm(`${path}.parquet`, { force: true })]);
    }
  }
}
