import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relationOf } from './locked-session.ts';
import type { SandboxTable } from './sandbox-protocol.ts';

let folder: string;
let instance: DuckDBInstance;
let connection: DuckDBConnection;
let older: string;
let newer: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-relation-'));
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  older = await written('2020-01-01', "SELECT 'a' AS book, 0 AS _offset");
  newer = await written('2020-01-02', "SELECT 'b' AS book, 'A3' AS shelf, '2020-01-02' AS dt, 1 AS _offset");
});
afterAll(async () => {
  connection.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
});

async function written(dt: string, select: string): Promise<string> {
  await mkdir(join(folder, `dt=${dt}`));
  const path = join(folder, `dt=${dt}`, 'file.parquet');
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  return path;
}

async function rowsOf(files: readonly string[]): Promise<unknown[]> {
  const columns = [
    { name: 'book', type: 'string' },
    { name: 'shelf', type: 'string' },
  ];
  const table: SandboxTable = { database: 'shop', name: 'views', columns, partitionKey: 'dt', hasOlderFiles: true, files };
  return (await connection.runAndReadAll(`FROM (${relationOf(table)}) ORDER BY dt`)).getRowObjects();
}

describe('a table whose contract has gained a column', () => {
  it.each([
    ['an older file and a newer one', () => [older, newer]],
    ['a newer file and an older one', () => [newer, older]],
  ])('%s are one table, with NULL for the column that the older one lacks', async (_what, files) => {
    expect(await rowsOf(files())).toEqual([
      { book: 'a', shelf: null, dt: '2020-01-01' },
      { book: 'b', shelf: 'A3', dt: '2020-01-02' },
    ]);
  });

  it('older files alone have the column, too', async () => {
    expect(await rowsOf([older])).toEqual([{ book: 'a', shelf: null, dt: '2020-01-01' }]);
  });

  it('no file at all is a table without rows', async () => {
    expect(await rowsOf([])).toEqual([]);
  });
});
