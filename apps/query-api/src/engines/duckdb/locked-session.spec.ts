import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NotOneSelect, prepareSelect } from './locked-session.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
  await connection.run('CREATE VIEW purchases AS SELECT 1 AS genre');
});
afterAll(() => {
  connection?.closeSync();
  instance?.closeSync();
});

it.each(['SELECT 1', 'WITH t AS (SELECT 1) SELECT * FROM t', 'VALUES (1)', 'FROM purchases', 'SELECT 1 UNION ALL SELECT 2'])(
  'the statement %s is prepared',
  async (sql) => {
    expect(await (await prepareSelect(connection, sql)).runAndReadAll()).toBeDefined();
  },
);

it.each([
  "COPY (SELECT 1) TO '/tmp/millrace-must-not-exist'",
  "EXPORT DATABASE '/tmp/millrace-must-not-exist'",
  "ATTACH ':memory:' AS other",
  'DROP VIEW purchases',
  'CREATE TABLE t (a INTEGER)',
  'CREATE OR REPLACE VIEW purchases AS SELECT 2 AS genre',
  'SET threads = 8',
  'RESET threads',
  'PRAGMA enable_profiling',
  "CALL enable_logging('HTTP')",
  'EXPLAIN SELECT 1',
  'EXPLAIN ANALYZE SELECT 1',
  'CHECKPOINT',
  'BEGIN',
  'LOAD httpfs',
  'SELECT 1; SELECT 2',
  'DROP VIEW purchases; SELECT 1',
])('the statement %s is refused before any part of it is executed', async (sql) => {
  await expect(prepareSelect(connection, sql)).rejects.toBeInstanceOf(NotOneSelect);
  expect((await connection.runAndReadAll('SELECT genre FROM purchases')).getRows()).toEqual([[1]]);
});
