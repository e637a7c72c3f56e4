import { afterEach, expect, it } from 'vitest';
import { OperationError } from './errors.ts';
import { openTarget, type Target, type TargetNames } from './target.ts';

const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
const opened: Target[] = [];
afterEach(() => opened.splice(0).forEach((target) => target.close()));

function open(env: Record<string, string>, names?: TargetNames): Target {
  const target = openTarget({ ...keys, ...env }, names);
  opened.push(target);
  return target;
}

it('an empty environment names the local stack', () => {
  const { lake, kafka, httpfsPath, dedupOffsets } = open({});
  expect([lake.bucket, lake.stream.database, lake.stream.table, lake.catalogTable, lake.stream.topic.name]).toEqual([
    'millrace-lake',
    'bookstore',
    'purchases',
    'purchases',
    'bookstore.purchases.v1',
  ]);
  expect([kafka.brokers, httpfsPath, dedupOffsets]).toEqual([['127.0.0.1:9092'], undefined, 131_072]);
});

it('the settings of the services name the target', () => {
  const env = {
    LAKE_BUCKET: 'b',
    LAKE_DATABASE: 'd',
    SINK_TABLE: 'replay',
    SINK_CATALOG_TABLE: 'purchases',
    SINK_TOPIC: 't',
    KAFKA_BROKERS: 'a:1,b:2',
    QUERY_DUCKDB_HTTPFS: '/h',
    SINK_DEDUP_OFFSETS: '0',
  };
  const { lake, kafka, httpfsPath, dedupOffsets } = open(env);
  expect([lake.bucket, lake.stream.database, lake.stream.table, lake.catalogTable, lake.stream.topic.name]).toEqual([
    'b',
    'd',
    'replay',
    'purchases',
    't',
  ]);
  expect([kafka.brokers, httpfsPath, dedupOffsets]).toEqual([['a:1', 'b:2'], '/h', 0]);
});

it('a table that the caller names has the same name in the catalog, unless the caller names that too', () => {
  const env = { SINK_TABLE: 'replay', SINK_CATALOG_TABLE: 'purchases' };
  expect(open(env, { table: 'other' }).lake.catalogTable).toBe('other');
  expect(open(env, { table: 'other', catalogTable: 'purchases' }).lake.catalogTable).toBe('purchases');
});

it.each(['Purchases', '1purchases', 'purchases-2', '', 'a'.repeat(129)])('the table name "%s" is refused', (table) => {
  expect(() => open({}, { table })).toThrow(OperationError);
  expect(() => open({}, { table })).toThrow('use lower-case letters, digits and underscores, a letter first');
});
