import { randomUUID } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { DuckDBConnection } from '@duckdb/node-api';
import { purchases, type Stream } from '@millrace/contracts';
import { GlueCatalog, glueClient, GluePointer, isLakeError, Projection, projectionPrefix, S3ObjectStore, s3Client } from '@millrace/lake';
import { GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openIcebergReader } from './testing/iceberg-reader.ts';
import { LandedLake } from './testing/landed-lake.ts';

const bucket = `projection-${randomUUID()}`;
const stream: Stream = { ...purchases, database: `projection_${randomUUID().replaceAll('-', '_')}` };
const s3 = s3Client();
const glue = glueClient();
const store = new S3ObjectStore(s3, bucket);
const day = 86_400;
const start = 1_700_000_000;
let lake: LandedLake;
let reader: DuckDBConnection;

function projector(): Projection {
  return new Projection({
    store,
    bucket,
    stream,
    catalog: new GluePointer(glue, stream, `s3://${bucket}/${projectionPrefix(stream.table)}`),
    writer: randomUUID(),
    now: Date.now,
    newId: randomUUID,
    rowsOf: async () => 0,
    onPointerFailure: (error) => {
      throw error;
    },
  });
}

async function rowsOf(sql: string): Promise<unknown[]> {
  return (await reader.runAndReadAll(sql)).getRowObjectsJson();
}

async function metadataLocation(): Promise<string> {
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: stream.database, Name: `${stream.table}_iceberg` }));
  return Table!.Parameters!['metadata_location']!;
}

/** The same sums over the base and over a table of the projection. */
async function expectAgreement(table: string): Promise<void> {
  const base = `read_parquet('s3://${bucket}/purchases/**/*.parquet', hive_partitioning = true, hive_types = {dt: VARCHAR}, union_by_name = true)`;
  const names = stream.columns.map(({ name }) => name);
  const sums = (partition: string, offset: string): string =>
    `dt, count(*) AS n, count(DISTINCT (${partition}, ${offset})) AS places, sum(user_age) AS ages,
     min(purchase_timestamp) AS first, max(purchase_timestamp) AS last, bit_xor(hash(${names.join(', ')}, dt, ${partition}, ${offset})) AS hash`;
  const expected = await rowsOf(`SELECT ${sums('_partition', '_offset')} FROM ${base} GROUP BY dt ORDER BY dt`);
  expect(expected.length).toBeGreaterThan(0);
  expect(await rowsOf(`SELECT ${sums('kafka_partition', 'kafka_offset')} FROM iceberg_scan('${table}') GROUP BY dt ORDER BY dt`)).toEqual(
    expected,
  );
}

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await new GlueCatalog(glue, stream, bucket).ensureTable();
  lake = await LandedLake.open(store);
  reader = await openIcebergReader();
});

afterAll(() => {
  lake.close();
  reader.closeSync();
  s3.destroy();
  glue.destroy();
});

it('an independent reader of Iceberg sees each landed row once, in files with and without dt', async () => {
  const one = projector();
  const two = projector();
  await lake.land(0, [start, start + 1, start + day], { old: true });
  await lake.land(0, [start + 5, start + 3 * day]);
  await lake.land(3, [start + 7, start + day, start + 2 * day]);
  expect(await one.round()).toMatchObject({ outcome: 'committed', files: 7, rows: 8 });
  await expectAgreement(await metadataLocation());

  // Enough commits for manifests to be merged, by two projectors in turn.
  for (let n = 0; n < 20; n += 1) {
    await lake.land(n % 4, [start + n * day, start + n * 600]);
    expect(await (n % 2 === 0 ? one : two).round()).toMatchObject({ outcome: 'committed', rows: 2 });
  }
  await expectAgreement(await metadataLocation());
  await expectAgreement(`s3://${bucket}/${projectionPrefix(stream.table)}`.slice(0, -1));
  expect(await one.round()).toMatchObject({ outcome: 'idle' });
});

it('an entry whose files are only staged waits until a sink publishes them', async () => {
  const one = projector();
  await lake.record(5, [start]);
  expect(await one.round()).toMatchObject({ outcome: 'idle' });
});

it('a commit of another writer in the catalog stops the projector, and is not overwritten', async () => {
  const one = projector();
  const ours = await metadataLocation();
  const foreign = ours.replace(/[^/]*$/, '00000-7e3f.metadata.json');
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: stream.database, Name: `${stream.table}_iceberg` }));
  const pointTo = async (location: string): Promise<void> => {
    const TableInput = { Name: Table!.Name!, Parameters: { ...Table!.Parameters, metadata_location: location } };
    await glue.send(new UpdateTableCommand({ DatabaseName: stream.database, TableInput }));
  };
  await pointTo(foreign);
  await lake.land(1, [start]);
  await expect(one.round()).rejects.toSatisfy((error) => isLakeError(error, 'foreign-commit') && error.message.includes(foreign));
  expect(await metadataLocation()).toBe(foreign);
  await pointTo(ours);
  expect(await one.round()).toMatchObject({ outcome: 'committed' });
  await expectAgreement(await metadataLocation());
});
