import { purchases, type QueryRequest } from '@millrace/contracts';
import { checkpointKey, dataKey, entryBytes, entryKey, LaneFold, stagedKey, type InspectableStore, type LedgerEntry } from '@millrace/lake';
import { anonymous } from '@millrace/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import { stateMsMax, TableReader } from './table-reader.ts';
import { Tables, type TablesParts } from './tables.ts';

const lane = { table: 'purchases', topic: purchases.topic.name, partition: 3 };

let objects: Map<string, Uint8Array>;
let calls: { get: number; list: number };
let now: number;
let asked: QueryRequest[];
let registered: string[];
let failures: unknown[];

beforeEach(() => {
  objects = new Map();
  calls = { get: 0, list: 0 };
  now = 1_000_000;
  asked = [];
  registered = [];
  failures = [];
});

const store = {
  get: async (key: string) => {
    calls.get += 1;
    return objects.get(key);
  },
  list: async (prefix: string, { limit = 1000 } = {}) =>
    [...objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .slice(0, limit),
  listFolders: async (prefix: string) =>
    [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => `${key.slice(prefix.length).split('/')[0]}/`),
  listSized: async (prefix: string, { startAfter = '' } = {}) => {
    calls.list += 1;
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter);
    return keys
      .toSorted()
      .slice(0, 1000)
      .map((key) => ({ key, bytes: 1, putAtMs: 5000 }));
  },
} as unknown as InspectableStore;

function entryOf(n: number, days: readonly string[]): LedgerEntry {
  const range = { id: `b${n}`, from: n * 10, to: n * 10 + 10 };
  const files = days.map((dt, index) => ({
    dt,
    key: dataKey(lane, 'dt', dt, range),
    staged: stagedKey('purchases', range.id, index),
    rows: 5,
    bytes: 100,
    sha256: 'a'.repeat(64),
    minTimestamp: n,
    maxTimestamp: n + 60,
  }));
  const absent: [number, number][] = days.length === 2 ? [] : [[range.from, range.from + 10 - 5 * days.length]];
  return {
    v: 1,
    ...range,
    prev: n === 0 ? null : `b${n - 1}`,
    kind: 'batch',
    dropped: [],
    rejected: [],
    absent,
    files,
    topic: { cluster: 'test' },
    writer: 'test',
    contract: purchases.contract,
  };
}

function land(n: number, ...days: string[]): void {
  objects.set(entryKey(lane, n * 10), entryBytes(entryOf(n, days)));
}

function tables(ask: NonNullable<TablesParts['ask']> | 'none' | 'answers' = 'answers'): Tables {
  const catalog = { partitions: async () => registered.map((value) => ({ value, location: '' })) };
  const reader = new TableReader({
    stream: purchases,
    bucket: 'lake',
    store,
    catalog,
    now: () => now,
    onProjectionFailure: (error) => failures.push(error),
  });
  return new Tables({
    database: 'bookstore',
    tables: [{ stream: purchases, reader }],
    ask:
      ask === 'answers'
        ? async (body) => {
            asked.push(body);
            return { page: { columns: [], rows: [['a']] } } as unknown as Awaited<ReturnType<NonNullable<TablesParts['ask']>>>;
          }
        : ask === 'none'
          ? undefined
          : ask,
  });
}

describe('Tables.describe', () => {
  it('a description sums the ledger by lane and by day, and shows days that the catalog does not know', async () => {
    land(0, '2019-11-30', '2019-12-01');
    land(1, '2019-12-01');
    registered = ['2019-11-30', '2018-01-01'];
    const table = await tables().describe('purchases', 0, anonymous, {});
    expect(table).toMatchObject({ rows: 15, files: 3, bytes: 300, partitionCount: 3, registeredCount: 2, projection: null, sample: null });
    expect(table.partitions).toEqual([
      {
        value: '2019-12-01',
        isRegistered: false,
        rows: 10,
        files: 2,
        bytes: 200,
        oldestEventAt: '1970-01-01T00:00:00.000Z',
        newestEventAt: '1970-01-01T00:01:01.000Z',
      },
      {
        value: '2019-11-30',
        isRegistered: true,
        rows: 5,
        files: 1,
        bytes: 100,
        oldestEventAt: '1970-01-01T00:00:00.000Z',
        newestEventAt: '1970-01-01T00:01:00.000Z',
      },
      { value: '2018-01-01', isRegistered: true, rows: 0, files: 0, bytes: 0 },
    ]);
    expect(table.lanes).toHaveLength(8);
    expect(table.lanes[3]).toEqual({
      partition: 3,
      offset: 20,
      rows: 15,
      newestEventAt: '1970-01-01T00:01:01.000Z',
      recordedAt: '1970-01-01T00:00:05.000Z',
    });
    expect(table.lanes[0]).toEqual({ partition: 0, offset: 0, rows: 0 });
  });

  it('a description costs a list for each lane and a GET for each new entry, and nothing within two seconds', async () => {
    const fold = new LaneFold();
    for (let n = 0; n < 50; n += 1) {
      land(n, '2019-11-30', '2019-12-01');
      fold.add(entryOf(n, ['2019-11-30', '2019-12-01']));
    }
    objects.set(checkpointKey(lane, 500), Buffer.from(JSON.stringify({ v: 1, ...fold.totals })));
    land(50, '2019-12-01');
    const own = tables();
    expect((await own.describe('purchases', 0, anonymous, {})).rows).toBe(505);
    // The checkpoint and the entry after it.
    expect(calls).toEqual({ get: 2, list: 8 });
    land(51, '2019-12-01');
    expect((await own.describe('purchases', 0, anonymous, {})).rows).toBe(505);
    expect(calls).toEqual({ get: 2, list: 8 });
    now += stateMsMax;
    expect((await own.describe('purchases', 0, anonymous, {})).rows).toBe(510);
    expect(calls).toEqual({ get: 3, list: 16 });
  });

  it('a description begins anew after a ledger that is not a chain', async () => {
    land(0, '2019-11-30');
    land(2, '2019-11-30');
    const own = tables();
    await expect(own.describe('purchases', 0, anonymous, {})).rejects.toMatchObject({ code: 'unavailable' });
    land(1, '2019-11-30');
    expect((await own.describe('purchases', 0, anonymous, {})).rows).toBe(15);
  });

  it('a description samples the newest registered day with rows, and does without the sample when the query fails', async () => {
    land(0, '2019-11-30', '2019-12-01');
    registered = ['2019-11-30', '2020-01-01'];
    expect((await tables().describe('purchases', 7, anonymous, {})).sample).toEqual({ columns: [], rows: [['a']] });
    expect(asked).toMatchObject([{ sql: 'SELECT * FROM purchases WHERE dt = ? LIMIT 7', parameters: ['2019-11-30'], engine: 'duckdb' }]);
    const failing = tables(async () => await Promise.reject(new QueryError('unavailable', 'Redis is down')));
    expect((await failing.describe('purchases', 7, anonymous, {})).sample).toBeNull();
    expect((await tables('none').describe('purchases', 7, anonymous, {})).sample).toBeNull();
  });

  it('a description does without a projection that cannot be read', async () => {
    objects.set('_iceberg/purchases/commits/1.json', Buffer.from('{}'));
    expect((await tables().describe('purchases', 0, anonymous, {})).projection).toBeNull();
    expect(failures).toHaveLength(1);
  });

  it('the error for an unknown table names the tables that exist', async () => {
    await expect(tables().describe('purchase', 0, anonymous, {})).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no table purchase. The tables are purchases.',
    });
  });
});
