import { expect, it } from 'vitest';
import { callOf } from './inflict-lake-fault.ts';
import { lakeSteps } from './lake-fault-plan.ts';

const table = '/lake/_iceberg/purchases';
const calls = [
  ['read', 'GET', '/lake/_ledger/purchases/purchases.v1/p=0/1.json'],
  ['manifest', 'PUT', `${table}/metadata/00007-0a-m0.avro`],
  ['manifest', 'PUT', `${table}/metadata/snap-00007-0a.avro`],
  ['metadata', 'PUT', `${table}/metadata/00007-0a.metadata.json`],
  ['commit', 'PUT', `${table}/commits/9223372036854775800-7.json`],
  ['hint', 'PUT', `${table}/metadata/version-hint.text`],
  ['merged-file', 'PUT', `${table}/data/dt%3D2019-11-30/g1-00263-0a.parquet`],
  ['marks', 'PUT', `${table}/marks.json`],
  ['delete', 'DELETE', `${table}/metadata/00003-0a.metadata.json`],
] as const;

it.each(calls)('a call of the step %s is %s %s, and belongs to no other step', (step, method, path) => {
  const fitting = lakeSteps.filter((one) => {
    const matcher = callOf(one, { bucket: 'lake', table: 'purchases' });
    return matcher.method === method && matcher.path instanceof RegExp && matcher.path.test(path);
  });
  expect(fitting).toEqual([step]);
});
