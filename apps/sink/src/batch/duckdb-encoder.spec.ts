import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileCodecs, purchases } from '@millrace/contracts';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOf } from './records/check.ts';
import { DiskSpool } from '../spool/disk/disk-spool.ts';
import { DuckDbEncoder, onDuckDbDisk, openInstance } from './duckdb-encoder.ts';
import { OpenBatch } from './open-batch.ts';
import { purchaseLine } from '../simulation/parts/purchase-line.ts';
import { TestClock } from '../testing/test-clock.ts';
import type { SealedBatch } from '../spool/batch.ts';

const check = checkOf(purchases, 3);
const life = new AbortController().signal;
let root: string;
let spool: DiskSpool;
let encoder: DuckDbEncoder;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-encoder-'));
  spool = await DiskSpool.take(root, 'one', new TestClock());
  encoder = await DuckDbEncoder.open(purchases, { memoryMbMax: 256, threads: 2, temporaryDirectory: root, spillMbMax: 64 });
});
afterAll(async () => {
  encoder.close();
  await rm(root, { recursive: true, force: true });
});

async function batchOf(id: string, values: readonly string[]): Promise<SealedBatch> {
  const batch = new OpenBatch(100, null, await spool.open(3, id));
  await batch.append(
    values.map((value, n) => {
      const record = { offset: 100 + n, timestamp: '1', key: null, value: Buffer.from(value), headers: [] };
      return { record, result: check(record) };
    }),
  );
  return await batch.seal(0);
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

describe('DuckDbEncoder', () => {
  it('the encoder writes every row with the columns of the contract, the hidden ones, and field ids', async () => {
    const batch = await batchOf('b1', [purchaseLine(2), purchaseLine(0), purchaseLine(4)]);
    const [segment] = batch.segments;
    const file = await encoder.encode(batch.files, segment!, '0.parquet', 3, life);
    expect(file.rows).toBe(3);
    const path = batch.files.path('0.parquet');
    expect(await query(`SELECT * FROM '${path}'`)).toEqual(
      [0, 2, 4].map((n) => ({
        event_id: `00000000-0000-4000-8000-00000000000${n}`,
        book_id: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
        title: 'Orlando',
        author: 'Virginia Woolf',
        genre: 'Fiction',
        user_id: `user-${n}`,
        user_country: 'GB',
        user_age: 24,
        purchase_timestamp: '2019-11-30 13:47:21',
        dt: '2019-11-30',
        _partition: 3,
        _offset: String(n === 2 ? 100 : n === 0 ? 101 : 102),
      })),
    );
    const schema = await query(
      `SELECT name, type, converted_type, field_id, logical_type FROM parquet_schema('${path}') WHERE name <> 'duckdb_schema'`,
    );
    expect(schema.map(({ name, field_id }) => [name, Number(field_id)])).toEqual([
      ...purchases.columns.map(({ name, fieldId }) => [name, fieldId]),
      ['dt', 1000],
      ['_partition', 1001],
      ['_offset', 1002],
    ]);
    expect(String(schema.find(({ name }) => name === 'purchase_timestamp')?.['logical_type'])).toContain('isAdjustedToUTC=0');
    expect(await query(`SELECT DISTINCT compression FROM parquet_metadata('${path}')`)).toEqual([{ compression: 'ZSTD' }]);
  });

  it.each(fileCodecs)('the encoder compresses with the codec of the stream: %s', async (fileCodec) => {
    const settings = { memoryMbMax: 128, threads: 1, temporaryDirectory: root, spillMbMax: 64 };
    const one = await DuckDbEncoder.open({ ...purchases, fileCodec }, settings);
    try {
      const batch = await batchOf(`codec-${fileCodec}`, [purchaseLine(0)]);
      await one.encode(batch.files, batch.segments[0]!, '0.parquet', 3, life);
      const codecs = await query(`SELECT DISTINCT compression FROM parquet_metadata('${batch.files.path('0.parquet')}')`);
      expect(codecs).toEqual([{ compression: fileCodec.toUpperCase() }]);
    } finally {
      one.close();
    }
  });

  it('the encoder keeps text unchanged, whatever its JSON escapes', async () => {
    const nasty = ['quote " and \\ back', 'line\nbreak', "it's; DROP TABLE", '\u0001\u001f', '📚 – „ß“', '{"a":1}', 'null', ' '];
    const values = nasty.map((title, n) => JSON.stringify(JSON.parse(purchaseLine(n * 2, { title })), undefined, 2));
    values[1] = values[1]!.replace('{', '{"title": "the first of two", "unknown": {"deep": [1]},');
    const batch = await batchOf('b2', values);
    const file = await encoder.encode(batch.files, batch.segments[0]!, '0.parquet', 3, life);
    expect(file.rows).toBe(nasty.length);
    const rows = await query(`SELECT title FROM '${batch.files.path('0.parquet')}' ORDER BY _offset`);
    expect(rows.map(({ title }) => title)).toEqual(nasty);
  });

  it('the encoder refuses a file whose row count differs from the appended lines, and leaves no file behind', async () => {
    const batch = await batchOf('b3', [purchaseLine(0), purchaseLine(2)]);
    const wrong = { ...batch.segments[0]!, rows: 3 };
    await expect(encoder.encode(batch.files, wrong, '0.parquet', 3, life)).rejects.toMatchObject({ code: 'row-count', retryable: true });
    await expect(query(`SELECT * FROM '${batch.files.path('0.parquet')}'`)).rejects.toThrow('No files found');
  });

  it('the encoder spills no more than SINK_ENCODER_SPILL_MB_MAX to disk, and reports the limit as a full disk', async () => {
    const instance = await openInstance({ memoryMbMax: 50, threads: 1, temporaryDirectory: join(root, 'spill'), spillMbMax: 1 });
    const connection = await instance.connect();
    const run = onDuckDbDisk(async () => await connection.run('CREATE TABLE large AS SELECT random() AS x FROM range(10_000_000)'));
    await expect(run).rejects.toMatchObject({
      code: 'disk-full',
      retryable: true,
      message: expect.stringContaining('SINK_ENCODER_SPILL_MB_MAX') as string,
    });
    instance.closeSync();
  });
});
