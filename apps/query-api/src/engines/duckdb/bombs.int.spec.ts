import { afterAll, beforeAll, expect, it } from 'vitest';
import { QueryStopped } from '../../errors.ts';
import { testDuckDb } from '../../testing-duckdb.ts';
import { openTestLake, type TestLake } from '../../testing-lake.ts';
import type { ResultRow } from '../query-engine.ts';
import type { DuckDbEngine } from './duckdb-engine.ts';
import { engineRequest, runToEnd } from '../../testing-engine.ts';

let lake: TestLake;
let engine: DuckDbEngine;
beforeAll(async () => {
  lake = await openTestLake();
  await lake.land([{ genre: 'Fiction', userId: 'ann', userAge: 30, purchaseTimestamp: 1_575_121_641 }]);
  engine = testDuckDb(lake, { memoryMiB: 96, processMemoryMiB: 400, tempMiB: 16, startMsMax: 60_000 });
});
afterAll(async () => {
  await engine?.close();
  await lake?.close();
});

async function ask(sql: string, signal = new AbortController().signal): Promise<ResultRow[]> {
  return (await runToEnd(engine, engineRequest(sql, { signal }))).rows;
}

const text = 'x'.repeat(20_000);
const endless = {
  'a cross join': 'SELECT count(*) FROM range(100000000000000) a(x), (VALUES (1), (2)) b(y) WHERE a.x % 7 = b.y % 5',
  'a sum over endless rows': 'SELECT sum(sqrt(range::DOUBLE)) FROM range(100000000000000)',
};
const greedy = {
  'a string that escapes the memory limit of DuckDB': `SELECT length(replace('${text}', 'x', '${text}')) FROM purchases`,
  'a sort that spills': 'SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY md5(range::VARCHAR)) AS n FROM range(3000000))',
  'a list that grows': 'SELECT length(list(md5(range::VARCHAR))) FROM range(20000000)',
};

it('statements that take all memory or all time end alone: those beside them succeed, before and after', async () => {
  const stop = new AbortController();
  const reason = new QueryStopped('deadline');
  let endlessUnderWay = 0;
  const ends = Object.entries(endless).map(async ([name, sql]) => {
    endlessUnderWay += 1;
    const end = await ask(sql, stop.signal).catch((error: unknown) => error);
    endlessUnderWay -= 1;
    return { name, end };
  });
  const failures = Object.entries(greedy).map(async ([name, sql]) => ({ name, end: await ask(sql).catch((error: unknown) => error) }));

  const measured: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    const startedAt = performance.now();
    expect(await ask(`SELECT ${n} AS n, genre FROM purchases`)).toEqual([[n, 'Fiction']]);
    measured.push(Math.round(performance.now() - startedAt));
  }
  // The endless statements ran throughout.
  expect(endlessUnderWay).toBe(Object.keys(endless).length);
  for (const { name, end } of await Promise.all(failures))
    expect({ name, end }).toMatchObject({ name, end: { code: 'engine-failed', message: expect.stringContaining('memory') as string } });
  stop.abort(reason);
  for (const { name, end } of await Promise.all(ends)) expect({ name, end }).toEqual({ name, end: reason });
  expect(await ask('SELECT 42 AS a')).toEqual([[42]]);
  process.stdout.write(
    `Beside ${Object.keys(endless).length + Object.keys(greedy).length} bombs the small statements took ${measured.join(', ')} ms.\n`,
  );
});
