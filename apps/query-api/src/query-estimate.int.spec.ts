import { purchases } from '@millrace/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Estimates } from './queries/estimate/estimates.ts';
import type { QueryJobData } from './queries/query-record.ts';
import { Layouts } from './layouts/layouts.ts';
import { StatementGate } from './statement/statement-gate.ts';
import { testDuckDb } from './testing-duckdb.ts';
import { engineRequest, runToEnd } from './testing-engine.ts';
import { openTestLake, type TestLake, type TestPurchase } from './testing-lake.ts';

const december = 1_575_158_400;
const day = 86_400;

let lake: TestLake;
let gate: StatementGate;
let estimates: Estimates;

function data(sql: string, more: Partial<QueryJobData> = {}): QueryJobData {
  return { sql, parameters: [], engine: 'duckdb', timeoutMs: 1000, submittedAt: 0, ...more };
}

beforeAll(async () => {
  lake = await openTestLake();
  const rows = Array.from({ length: 60_000 }, (_, index): TestPurchase => ({
    genre: index % 3 === 0 ? 'Fiction' : 'Poetry',
    userId: `user-${(index * 7919) % 50_000}`,
    userAge: index % 90,
    purchaseTimestamp: december + (index % 2) * day,
  }));
  await lake.land(rows);
  gate = await StatementGate.create({ database: lake.database, tables: ['purchases'] });
  const streams = [purchases];
  const { database, bucket } = lake;
  estimates = new Estimates({
    gate,
    layouts: new Layouts({ gate, streams, database, bucket, projected: new Map(), filesMax: 100, trinoCatalog: 'iceberg' }),
    streams,
    places: { database: lake.database, catalogOf: () => lake.catalog, storeOf: () => lake.store },
    filesMax: 100,
    usdPerTb: 5,
  });
});
afterAll(async () => {
  gate?.close();
  await lake?.close();
});

const signal = new AbortController().signal;

it('an estimate counts the named columns in the days that the conditions allow', async () => {
  const all = await estimates.of(data('SELECT * FROM purchases'), signal);
  const ids = await estimates.of(data('SELECT event_id FROM purchases'), signal);
  const oneDay = await estimates.of(data('SELECT event_id FROM purchases WHERE dt = ?', { parameters: ['2019-12-01'] }), signal);
  const count = await estimates.of(data("SELECT count(*) FROM purchases WHERE dt = '2019-12-01'", { engine: 'athena' }), signal);
  expect(all.tables).toMatchObject([{ partitions: 2, files: 2, bytesScanned: all.tables[0]!.bytes }]);
  expect(ids.bytesScanned).toBeLessThan(all.bytesScanned);
  expect(ids.bytesScanned).toBeGreaterThan(all.bytesScanned / 2);
  expect(oneDay).toMatchObject({ isSampled: false, tables: [{ partitions: 1, files: 1, columns: ['event_id'] }] });
  expect(Math.abs(oneDay.bytesScanned / ids.bytesScanned - 0.5)).toBeLessThan(0.05);
  expect(count).toMatchObject({ bytesScanned: 0, billedBytes: 10 * 1024 ** 2, usd: (10 / 1024 ** 2) * 5 });
});

it('an estimate is near the bytes that DuckDB reads', async () => {
  const engine = testDuckDb(lake);
  try {
    const sql = 'SELECT count(DISTINCT event_id) AS n FROM purchases';
    const { result } = await runToEnd(engine, engineRequest(sql));
    const { bytesScanned } = await estimates.of(data(sql), signal);
    expect(result.bytesScanned() / bytesScanned).toBeGreaterThan(0.95);
    expect(result.bytesScanned() / bytesScanned).toBeLessThan(1.3);
  } finally {
    await engine.close();
  }
});

it('a query above its own limit is refused with the bytes that it would scan', async () => {
  const sql = 'SELECT event_id FROM purchases';
  const { bytesScanned } = await estimates.of(data(sql), signal);
  await estimates.refuseAbove(bytesScanned, data(sql), signal);
  await expect(estimates.refuseAbove(bytesScanned - 1, data(sql), signal)).rejects.toMatchObject({
    code: 'scan-limit-exceeded',
    errors: [{ field: 'maxBytesScanned', message: `must be at least ${bytesScanned} for this statement` }],
  });
});
