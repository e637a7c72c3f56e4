import { DeletePartitionCommand, GetTableCommand, UpdateTableCommand, type Column } from '@aws-sdk/client-glue';
import { glueClient, type CrawlReport } from '@millrace/lake';
import { PlantedLake, plantedRecords } from '@millrace/operations/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { recordingContext } from './testing/recording-context.ts';

const glue = glueClient();
let planted: PlantedLake;

beforeEach(async () => {
  planted = await PlantedLake.open();
  await planted.land(0, plantedRecords(40));
  await planted.land(3, plantedRecords(5, 1_575_158_397));
});
afterEach(() => planted.close());

async function crawl(policy: string): Promise<{ code: number; report: CrawlReport }> {
  const context = recordingContext(planted.env);
  const code = await operate('crawl', ['--json', '--policy', policy], context);
  return { code, report: JSON.parse(context.lines.join('\n')) as CrawlReport };
}

const named = (): { DatabaseName: string | undefined; TableName: string } => ({
  DatabaseName: planted.env['LAKE_DATABASE'],
  TableName: 'purchases',
});

async function columns(): Promise<readonly Column[]> {
  const { Table: table } = await glue.send(new GetTableCommand({ DatabaseName: named().DatabaseName, Name: 'purchases' }));
  return table?.StorageDescriptor?.Columns ?? [];
}

/** Changes the table in the catalog, as a manual edit would. */
async function setColumns(change: (list: readonly Column[]) => readonly Column[]): Promise<void> {
  const { Table: table } = await glue.send(new GetTableCommand({ DatabaseName: named().DatabaseName, Name: 'purchases' }));
  const { Name, TableType, Parameters, PartitionKeys, StorageDescriptor } = table!;
  const storage = { ...StorageDescriptor, Columns: [...change(StorageDescriptor?.Columns ?? [])] };
  const TableInput = { Name, TableType, Parameters, PartitionKeys, StorageDescriptor: storage };
  await glue.send(new UpdateTableCommand({ DatabaseName: named().DatabaseName, TableInput }));
}

function shown({ report }: { report: CrawlReport }): unknown {
  return report.differences.map(({ kind, name, found, catalog }) => [kind, name, found, catalog]);
}

it('a table whose catalog agrees with its files has no difference under any policy', async () => {
  for (const policy of ['log', 'update', 'deprecate']) {
    const { code, report } = await crawl(policy);
    expect([code, report.verdict, report.differences, report.partitions, report.filesRead]).toEqual([0, 'equal', [], 2, 2]);
  }
});

it('a lost day, a lost column and a narrowed type are logged first, and applied by the policy update', async () => {
  const before = await columns();
  await glue.send(new DeletePartitionCommand({ ...named(), PartitionValues: ['2019-12-01'] }));
  await setColumns((list) =>
    list
      .filter(({ Name }) => Name !== 'author')
      .map((column) => (column.Name === 'user_age' ? { ...column, Type: 'smallint', Comment: 'own words' } : column)),
  );
  const differences = [
    ['column-added', 'author', 'string', undefined],
    ['column-widened', 'user_age', 'int', 'smallint'],
    ['partition-missing', '2019-12-01', undefined, undefined],
  ];
  const logged = await crawl('log');
  expect([logged.code, logged.report.verdict, shown(logged)]).toEqual([2, 'differs', differences]);
  expect((await columns()).map(({ Name }) => Name)).not.toContain('author');
  const applied = await crawl('update');
  expect([applied.code, applied.report.verdict, shown(applied)]).toEqual([0, 'applied', differences]);
  const after = await columns();
  expect(new Set(after.map(({ Name }) => Name))).toEqual(new Set(before.map(({ Name }) => Name)));
  expect(after.find(({ Name }) => Name === 'user_age')).toMatchObject({ Type: 'int', Comment: 'own words' });
  expect((await crawl('log')).report.verdict).toBe('equal');
});

it('another type and a column without files are refused, and the catalog stays as it is', async () => {
  await setColumns((list) => [
    ...list.map((column) => (column.Name === 'user_age' ? { ...column, Type: 'string' } : column)),
    { Name: 'price', Type: 'double' },
  ]);
  const before = await columns();
  const { code, report } = await crawl('deprecate');
  expect([code, report.verdict]).toEqual([1, 'refused']);
  expect(report.differences).toEqual([
    { kind: 'column-changed', name: 'user_age', found: 'int', catalog: 'string', action: 'refused' },
    { kind: 'column-absent', name: 'price', catalog: 'double', action: 'refused' },
  ]);
  expect(await columns()).toEqual(before);
  const human = recordingContext(planted.env);
  expect(await operate('crawl', [], human)).toBe(1);
  expect(human.lines.join('\n')).toContain('some differences were refused');
});

it('a day without files is marked by the policy deprecate only, and once', async () => {
  await planted.lake.catalog.register(['2001-01-01']);
  expect((await crawl('update')).report).toMatchObject({
    verdict: 'differs',
    differences: [{ kind: 'partition-empty', action: 'logged' }],
  });
  expect((await crawl('deprecate')).report).toMatchObject({ verdict: 'applied', differences: [{ name: '2001-01-01', action: 'applied' }] });
  expect((await crawl('deprecate')).report.verdict).toBe('equal');
});

it('a policy that does not exist is refused', async () => {
  await expect(operate('crawl', ['--policy', 'delete'], recordingContext(planted.env))).rejects.toThrow('"delete" is not a policy');
});
