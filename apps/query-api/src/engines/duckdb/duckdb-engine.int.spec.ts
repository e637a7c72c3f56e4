import { purchases } from '@millrace/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryError, QueryStopped } from '../../errors.ts';
import { testDuckDb } from '../../testing-duckdb.ts';
import { openTestLake, type TestLake, type TestPurchase } from '../../testing-lake.ts';
import { reportConformance } from '../../reports/reports.conformance.ts';
import { engineConformance, type ConformanceSubject } from '../query-engine.conformance.ts';
import type { ResultRow } from '../query-engine.ts';
import type { DuckDbEngine } from './duckdb-engine.ts';
import { engineRequest, runToEnd } from '../../testing-engine.ts';

async function open(rows: readonly TestPurchase[]): Promise<ConformanceSubject> {
  const own = await openTestLake();
  await own.land(rows);
  const engine = testDuckDb(own);
  return {
    engine,
    database: own.database,
    async close() {
      await engine.close();
      await own.close();
    },
  };
}

engineConformance('duckdb', open, { lacking: { 'scan limit': 'DuckDB has no limit of bytes' } });
reportConformance('duckdb', open);

describe('DuckDB over the lake', () => {
  let lake: TestLake;
  let engine: DuckDbEngine;
  beforeAll(async () => {
    lake = await openTestLake();
    engine = testDuckDb(lake);
  });
  afterAll(async () => {
    await engine?.close();
    await lake?.close();
  });

  // Straight to the engine, past the gate: the lock of the engine is the second barrier.
  const ask = async (
    sql: string,
    on: DuckDbEngine = engine,
    signal = new AbortController().signal,
  ): Promise<{ rows: ResultRow[]; names: string[]; bytesScanned: number }> => {
    const { result, rows } = await runToEnd(on, engineRequest(sql, { signal }));
    return { rows, names: result.columns.map(({ name }) => name), bytesScanned: result.bytesScanned() };
  };

  it('a table without files is empty and typed', async () => {
    expect((await ask('SELECT count(*) AS n, max(user_age) AS age FROM purchases')).rows).toEqual([['0', null]]);
  });

  it('DuckDB reads the registered partitions and no other file of the bucket', async () => {
    await lake.land([{ genre: 'Fiction', userId: 'ann', userAge: 30, purchaseTimestamp: 1_575_121_641 }]);
    await lake.land([{ genre: 'Ghost', userId: 'bob', userAge: 30, purchaseTimestamp: 1_577_836_800 }], { register: false });
    await lake.store.put('purchases/dt=2019-11-30/_unfinished.parquet', Buffer.from('not parquet'));
    expect((await ask('SELECT genre, dt FROM purchases')).rows).toEqual([['Fiction', '2019-11-30']]);
  });

  it('DuckDB shows the declared columns and the partition key, and hides the rest', async () => {
    const { names } = await ask('SELECT * FROM purchases');
    expect(names).toEqual([...purchases.columns.map(({ name }) => name), 'dt']);
    await expect(ask('SELECT _offset FROM purchases')).rejects.toMatchObject({ code: 'statement-invalid' });
  });

  it('DuckDB reports the bytes that it read from S3, and keeps them for the next statement', async () => {
    const fresh = testDuckDb(lake);
    try {
      const sql = 'SELECT max(genre), min(user_age) FROM purchases';
      const [first, second] = [await ask(sql, fresh), await ask(sql, fresh)];
      expect(first.bytesScanned).toBeGreaterThan(100);
      expect(second).toEqual({ ...first, bytesScanned: 0 });
    } finally {
      await fresh.close();
    }
  });

  it('a statement cannot see the one before it in the same process', async () => {
    const mark = 'seen-by-nobody-else';
    const pid = async (): Promise<unknown> => (await ask("SELECT current_setting('temp_directory')")).rows[0]?.[0];
    const before = await pid();
    await ask(`SELECT '${mark}', setseed(0.5)`);
    for (const sql of [
      'SELECT * FROM duckdb_logs',
      'SELECT * FROM duckdb_prepared_statements()',
      'SELECT * FROM duckdb_variables()',
      'SELECT * FROM duckdb_views()',
      'SELECT * FROM duckdb_external_file_cache()',
    ]) {
      const { rows } = await ask(sql);
      expect({ sql, shows: JSON.stringify(rows).includes(mark) }).toEqual({ sql, shows: false });
    }
    expect(await pid()).toBe(before);
    const random = [await ask('SELECT random()'), await ask('SELECT random()')].map(({ rows }) => rows[0]?.[0]);
    expect(random[0]).not.toBe(random[1]);
  });

  it.each([
    { what: 'switches on the log', sql: "SELECT * FROM enable_logging('QueryLog')", leaves: false },
    { what: 'needs too much memory', sql: 'SELECT length(list_transform(range(30000000), x -> x::VARCHAR)::VARCHAR)', leaves: false },
    { what: 'names an unknown column', sql: 'SELECT nothing FROM purchases', leaves: true },
    { what: 'divides by text', sql: "SELECT 1 / CAST('x' AS INTEGER)", leaves: true },
  ])('a statement that $what leaves its process to the next: $leaves', async ({ sql, leaves }) => {
    const fresh = testDuckDb(lake);
    try {
      const process = async (): Promise<unknown> => (await ask("SELECT current_setting('temp_directory')", fresh)).rows[0]?.[0];
      const before = await process();
      await ask(sql, fresh).catch(() => undefined);
      expect((await process()) === before).toBe(leaves);
    } finally {
      await fresh.close();
    }
  });

  it.each([
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "COPY (SELECT 1) TO '/tmp/millrace-must-not-exist'",
    "ATTACH '/tmp/millrace-must-not-exist.db'",
    'SET threads = 8',
    'SET enable_external_access = true',
    'INSTALL httpfs',
    "SELECT * FROM 'http://127.0.0.1:1/x.csv'",
    "SELECT * FROM read_parquet('s3://another-bucket/x.parquet')",
    "CALL enable_logging('HTTP', storage = 'file')",
    "LOAD '/tmp/x.duckdb_extension'",
  ])('DuckDB refuses a statement that gets past the gate: %s', async (sql) => {
    await expect(ask(sql)).rejects.toBeInstanceOf(QueryError);
  });

  it('DuckDB cannot read another object of the same bucket', async () => {
    await expect(
      ask(`SELECT * FROM read_parquet('s3://${lake.bucket}/purchases/dt=2020-01-01/p0-0-1-test.parquet')`),
    ).rejects.toBeInstanceOf(QueryError);
  });

  it('DuckDB names the position of an unknown column', async () => {
    await expect(ask('SELECT genre,\n  gener FROM purchases')).rejects.toMatchObject({
      code: 'statement-invalid',
      message: expect.stringContaining('line 2, column 3') as string,
    });
  });

  it('DuckDB knows the functions of Trino that it has under other names', async () => {
    const { rows } = await ask(
      `SELECT approx_distinct(user_id), approx_percentile(user_age, 0.5), from_unixtime(1575121641), to_unixtime(TIMESTAMP '2019-11-30 13:47:21'), regexp_like('abc', 'b'),
        json_extract_scalar('{"a": "b"}', '$.a'), array_join(array_agg(genre), '-'), day_of_week(DATE '2019-11-30'), day_of_year(DATE '2019-12-31'), week_of_year(DATE '2019-11-30') FROM purchases`,
    );
    expect(rows).toEqual([['1', 30, '2019-11-30 13:47:21', 1_575_121_641, true, 'b', 'Fiction', '6', '365', '48']]);
  });

  it('a statement that holds its thread without hearing an interrupt still ends when it is stopped', async () => {
    const controller = new AbortController();
    const reason = new QueryStopped('deadline');
    const running = ask("SELECT strlen(lpad('x', 2000000000, 'y')) FROM purchases", engine, controller.signal);
    await engine.check();
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  it('a statement that escapes the memory limit ends its own process and nothing else', async () => {
    const small = testDuckDb(lake, { processMemoryMiB: 300 });
    try {
      const text = 'x'.repeat(20_000);
      await expect(ask(`SELECT length(replace('${text}', 'x', '${text}')) FROM purchases`, small)).rejects.toMatchObject({
        code: 'engine-failed',
        message: expect.stringContaining('300 MiB') as string,
      });
      expect((await ask('SELECT count(*) FROM purchases', small)).rows).toEqual([['1']]);
    } finally {
      await small.close();
    }
  });

  it('a statement that would spill more than its limit to disk is refused, and the next query runs', async () => {
    const sorted = 'SELECT max(n) AS n FROM (SELECT row_number() OVER (ORDER BY md5(range::VARCHAR)) AS n FROM range(CAST(? AS BIGINT)))';
    expect((await ask(sorted.replace('?', '1000'))).rows).toEqual([['1000']]);
    await expect(ask(sorted.replace('?', '6000000'))).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('more memory') as string,
    });
    expect((await ask('SELECT 1')).rows).toEqual([[1]]);
  });

  it('a row too long for memory is refused, by DuckDB or by its process, and the next query runs', async () => {
    // 9 MB in one cell, then 250 cells of 4 MB that V8 would hold at once.
    await expect(ask("SELECT replace(string_agg('xxxxxxxxx', ''), 'x', 'yyyyyyyyyy') FROM range(100000)")).rejects.toMatchObject({
      code: 'result-too-large',
    });
    await expect(
      ask("SELECT replace(string_agg('xxxxx', ''), 'x', 'yyyyyyyyyy') || b.range FROM range(80000) a, range(250) b GROUP BY b.range"),
    ).rejects.toBeInstanceOf(QueryError);
    expect((await ask('SELECT 1')).rows).toEqual([[1]]);
  });

  it('a table of more files than the limit is refused with the limit', async () => {
    await lake.land([{ genre: 'Fiction', userId: 'ann', userAge: 30, purchaseTimestamp: 1_575_121_641 }], { name: 'p0-1-2-test' });
    const narrow = testDuckDb(lake, { filesMax: 1 });
    await expect(ask('SELECT 1 FROM purchases', narrow)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('more than 1 files') as string,
    });
    await narrow.close();
  });
});
