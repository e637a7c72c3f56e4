import { Readable } from 'node:stream';
import { purchases } from '@millrace/contracts';
import { afterEach, expect, it } from 'vitest';
import type { Parameter } from './engines/query-engine.ts';
import { LakeSources } from './lake-sources.ts';
import { bindReport } from './reports/report.ts';
import { reports } from './reports/reports.ts';
import { readStatement } from './statement/statement-text.ts';

const days = ['2019-11-10', '2019-11-11', '2019-11-12'];
const opened: LakeSources[] = [];
afterEach(async () => {
  for (const sources of opened.splice(0)) await sources.close();
});

/** A lake with some files in each of three days, which counts its calls. */
function lake({ filesMax = 100, filesEach = 4, away = false } = {}) {
  const calls: string[] = [];
  let underWay = 0;
  let underWayMost = 0;
  const places = {
    database: 'bookstore',
    catalogOf: () => ({
      partitions: async () => {
        calls.push('partitions');
        if (away) throw new Error('away');
        return days.map((value) => ({ value, location: `s3://lake/purchases/dt=${value}/` }));
      },
    }),
    storeOf: () => ({
      listSized: async (prefix: string) => {
        calls.push(`list ${prefix}`);
        underWay += 1;
        underWayMost = Math.max(underWayMost, underWay);
        await Promise.resolve();
        underWay -= 1;
        return [
          ...Array.from({ length: filesEach }, (_, n) => ({ key: `${prefix}f${n}.parquet`, bytes: 100 + n })),
          { key: `${prefix}_tmp/x.parquet`, bytes: 1 },
        ];
      },
    }),
  };
  const sources = new LakeSources({ streams: [purchases], places, filesMax, readRange: async () => Readable.from([]) });
  opened.push(sources);
  const tables = async (sql: string, parameters: readonly Parameter[] = []) =>
    await sources.tables({ statement: readStatement(sql), parameters, signal: new AbortController().signal });
  return { tables, calls, underWayMost: () => underWayMost };
}

it('a statement that reads no table asks neither the catalog nor S3, even when neither answers', async () => {
  const { tables, calls } = lake({ away: true });
  expect(await tables('SELECT 42 AS a')).toEqual([]);
  expect(await tables("WITH t AS (SELECT 1 AS a) SELECT a, 'purchases' FROM t, range(3)")).toEqual([]);
  expect(calls).toEqual([]);
});

it('only the partitions that the conditions on dt allow are listed, with the sizes of their files', async () => {
  const { tables, calls } = lake({ filesEach: 2 });
  const [table] = await tables('SELECT count(*) FROM purchases WHERE dt = ?', ['2019-11-11']);
  expect(calls).toEqual(['partitions', 'list purchases/dt=2019-11-11/']);
  expect(table).toMatchObject({ database: 'bookstore', name: 'purchases', partitionKey: 'dt' });
  expect(table!.files).toEqual([
    { bucket: 'lake', key: 'purchases/dt=2019-11-11/f0.parquet', bytes: 100, partition: '2019-11-11' },
    { bucket: 'lake', key: 'purchases/dt=2019-11-11/f1.parquet', bytes: 101, partition: '2019-11-11' },
  ]);
});

it('a report with the parameters from and to lists only the days between', async () => {
  const { tables, calls } = lake();
  const { sql, parameters } = bindReport(
    reports.find(({ name }) => name === 'sales-by-genre')!,
    { from: '2019-11-11', to: '2019-11-12' },
  );
  await tables(sql, parameters);
  expect(calls.slice(1)).toEqual(['list purchases/dt=2019-11-11/', 'list purchases/dt=2019-11-12/']);
});

it('the limit on files counts the files of these partitions only', async () => {
  const { tables } = lake({ filesMax: 5 });
  expect((await tables("SELECT 1 FROM purchases WHERE dt = '2019-11-10'"))[0]!.files).toHaveLength(4);
  expect((await tables("SELECT 1 FROM purchases WHERE dt = '2030-01-01'"))[0]!.files).toHaveLength(0);
  await expect(tables('SELECT 1 FROM purchases')).rejects.toMatchObject({
    code: 'engine-failed',
    message:
      'The statement reads more than 5 files of the table purchases, the limit of DuckDB. Add a condition on dt to WHERE, use another engine, or raise QUERY_TABLE_FILES_MAX.',
  });
});

it('partitions are listed at the same time', async () => {
  const { tables, underWayMost } = lake();
  await tables('SELECT 1 FROM purchases');
  expect(underWayMost()).toBe(3);
});

it('a statement that cannot be parsed may need everything; the engine refuses it', async () => {
  const { tables } = lake();
  for (const sql of ['SELEC 1', 'DROP VIEW purchases']) expect((await tables(sql))[0]!.files).toHaveLength(12);
});

it('a list that fails does not abort the others, one of which may be the probe of a circuit', async () => {
  const signals: AbortSignal[] = [];
  const probe = Promise.withResolvers<void>();
  const sources = new LakeSources({
    streams: [purchases],
    places: {
      database: 'bookstore',
      catalogOf: () => ({ partitions: async () => days.map((value) => ({ value, location: `s3://lake/purchases/dt=${value}/` })) }),
      storeOf: () => ({
        listSized: async (prefix, { signal } = {}) => {
          signals.push(signal!);
          if (!prefix.includes(days[0]!)) throw new Error('rejected by the circuit');
          await probe.promise;
          return [];
        },
      }),
    },
    filesMax: 1,
    readRange: async () => Readable.from([]),
  });
  opened.push(sources);
  const request = { statement: readStatement('SELECT 1 FROM purchases'), parameters: [], signal: new AbortController().signal };
  await expect(sources.tables(request)).rejects.toMatchObject({ code: 'unavailable' });
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  probe.resolve();
});
