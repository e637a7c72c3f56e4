import { lostMetadata, TableFiles } from '@millrace/lake';
import { PlantedLake, plantedRecords } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

let planted: PlantedLake;

beforeEach(async () => {
  planted = await PlantedLake.open();
});
afterEach(() => planted.close());

async function rebuild(...args: string[]): Promise<{ code: number; text: string }> {
  const context = recordingContext(planted.env);
  const code = await operate('lake rebuild', args, context);
  return { code, text: context.lines.join('\n') };
}

async function auditCode(): Promise<number> {
  return await operate('audit', ['--deep'], recordingContext(planted.env));
}

it('a rebuild repairs a table whose compacted file has other rows, and registers it in Glue', async () => {
  const projection = planted.projection();
  await planted.land(0, plantedRecords(4));
  await planted.land(1, plantedRecords(6));
  await projection.round();
  await planted.compact(projection, (relation) => `SELECT * REPLACE (user_age + 1 AS user_age) FROM ${relation}`);
  await planted.land(0, plantedRecords(5));
  expect(await auditCode()).toBe(1);

  const { code, text } = await rebuild();
  expect(code).toBe(0);
  expect(text).toBe(
    'The Iceberg table of purchases was made anew by commit 3: 15 rows in 3 files.\nBefore: 10 rows in 1 file, at commit 2.',
  );
  expect(await auditCode()).toBe(0);
  const { store, bucket, stream, icebergPointer } = planted.lake;
  const newest = await new TableFiles({ store, bucket, stream }).newest();
  expect((await icebergPointer.read())?.location).toBe(`s3://${bucket}/${newest!.commit.metadata}`);
});

it('a rebuild of a table with a repaired file states the lost rows, and a rebuild without landed files is refused', async () => {
  await expect(rebuild()).rejects.toThrow('Nothing was rebuilt: nothing has landed in the table purchases yet.');
  const entry = await planted.land(0, plantedRecords(4));
  await planted.land(0, plantedRecords(2));
  await planted.lake.store.delete(entry.files[0]!.key);
  for (const { staged } of entry.files) await planted.lake.store.delete(staged);
  expect(await operate('repair', ['--apply'], recordingContext(planted.env))).toBe(0);
  expect((await planted.lake.store.metadata(entry.files[0]!.key))?.[lostMetadata]).toBe('4');
  const { code, text } = await rebuild('--json');
  expect([code, JSON.parse(text)]).toEqual([
    2,
    { table: 'purchases', before: null, after: { n: 1, files: 1, rows: 2, lostRows: 4 }, inCatalog: true },
  ]);
});
