import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { purchases } from '@millrace/contracts';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyStatement } from '../../batch/duckdb-encoder.ts';
import { DuckDbRewriter } from './duckdb-rewriter.ts';
import { rewriteStatements } from './steps/rewrite-statements.ts';

const dt = '2023-11-14';
let directory: string;
let instance: DuckDBInstance;
let duckdb: DuckDBConnection;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-rewriter-'));
  instance = await DuckDBInstance.create(':memory:');
  duckdb = await instance.connect();
});
afterAll(() => {
  duckdb.closeSync();
  instance.closeSync();
  rmSync(directory, { recursive: true, force: true });
});

/** Writes a file of the base with these offsets. An old one has no column for the genre and no day. */
async function baseFile(name: string, offsets: readonly number[], { old = false, age = 30 } = {}): Promise<string> {
  const lines = offsets.map((offset) =>
    JSON.stringify({
      _offset: offset,
      eventId: `e${offset}`,
      bookId: 'b',
      title: 'T',
      author: 'A',
      genre: 'Essay',
      userId: `u${offset % 3}`,
      userCountry: 'DE',
      userAge: age,
      purchaseTimestamp: 1_700_000_000 + offset,
    }),
  );
  writeFileSync(join(directory, `${name}.json`), `${lines.join('\n')}\n`);
  const path = join(directory, `${name}.parquet`);
  const statement = copyStatement(purchases, join(directory, `${name}.json`), path, { partition: 2, dt });
  await duckdb.run(
    old
      ? statement
          .replace(`'${dt}' AS dt, `, '')
          .replace('dt: 1000, ', '')
          .replace(' "genre" AS genre,', '')
          .replace(/genre: \d+, /, '')
      : statement,
  );
  return path;
}

function rewriter(paths: readonly string[]): DuckDbRewriter {
  const store = {
    getRange: async (key: string, from: number, to: number) => (paths.includes(key) ? readFileSync(key).subarray(from, to) : undefined),
    metadata: async () => ({}),
  };
  return new DuckDbRewriter(store, purchases, { memoryMbMax: 128, threads: 1, spillMbMax: 64, directory: join(directory, 'work') });
}

const inputOf = (key: string, rows: number): { key: string; bytes: number; rows: number } => ({
  key,
  bytes: readFileSync(key).byteLength,
  rows,
});

it("a merged file has every row once, sorted, with the stream's field ids; a missing column is null", async () => {
  const paths = [await baseFile('new', [5, 1, 3]), await baseFile('old', [2, 4], { old: true })];
  const made = await rewriter(paths).rewrite(dt, [inputOf(paths[0]!, 3), inputOf(paths[1]!, 2)], {});
  expect(made).toMatchObject({ rows: 5, lostRows: 0, partitions: [2, 2], offsets: [1, 5], seconds: [1_700_000_001, 1_700_000_005] });
  const { path, bytes } = made.body as { path: string; bytes: number };
  expect(readFileSync(path).byteLength).toBe(bytes);
  const rows = (await duckdb.runAndReadAll(`SELECT user_id, _offset, genre, dt FROM read_parquet('${path}')`)).getRowsJson();
  const order = [...purchases.sortColumns, '_partition', '_offset'].join(', ');
  expect(rows).toEqual(
    (await duckdb.runAndReadAll(`SELECT user_id, _offset, genre, dt FROM read_parquet('${path}') ORDER BY ${order}`)).getRowsJson(),
  );
  expect(rows.toSorted((a, b) => Number(a[1]) - Number(b[1])).map(([, , genre, day]) => [genre, day])).toEqual(
    ['Essay', null, 'Essay', null, 'Essay'].map((genre) => [genre, dt]),
  );
  const ids = await duckdb.runAndReadAll(`SELECT name, field_id FROM parquet_schema('${path}') WHERE field_id IS NOT NULL`);
  expect(Object.fromEntries(ids.getRowsJson())).toMatchObject({ dt: '1000', _partition: '1001', _offset: '1002' });
  await made.dispose();
  expect(readdirSync(join(directory, 'work')).filter((name) => name.startsWith('pass-'))).toEqual([]);
});

it('a file with more or fewer rows than its manifest states is not merged', async () => {
  const path = await baseFile('short', [1, 2]);
  await expect(rewriter([path]).rewrite(dt, [inputOf(path, 3)], {})).rejects.toMatchObject({ code: 'row-count' });
  expect(readdirSync(join(directory, 'work')).filter((name) => name.startsWith('pass-'))).toEqual([]);
});

async function sums(sql: string): Promise<unknown> {
  return (await duckdb.runAndReadAll(sql)).getRowsJson();
}

it.each([
  ['a missing row', [1, 2], {}],
  ['a doubled row', [1, 2, 2], {}],
  ['another value', [1, 2, 3], { age: 31 }],
])('the sums of a file with %s differ from those of its inputs', async (_what, offsets, other) => {
  const [input, wrong] = [await baseFile('input', [1, 2, 3]), await baseFile('wrong', offsets, other)];
  const { inputSums, outputSums } = rewriteStatements(purchases, dt, [input], wrong);
  expect(await sums(outputSums)).not.toEqual(await sums(inputSums));
  expect(await sums(rewriteStatements(purchases, dt, [input], input).outputSums)).toEqual(await sums(inputSums));
});

it('a missing file and a file of another size are reported with their keys', async () => {
  const path = await baseFile('there', [1]);
  await expect(rewriter([]).rewrite(dt, [inputOf(path, 1)], {})).rejects.toMatchObject({ code: 'file-lost', key: path });
  const longer = { ...inputOf(path, 1), bytes: readFileSync(path).byteLength - 1 };
  await expect(rewriter([path]).rewrite(dt, [longer], {})).rejects.toMatchObject({ code: 'file-lost', key: path });
});
