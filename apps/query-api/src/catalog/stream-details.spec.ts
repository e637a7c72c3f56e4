import { purchases } from '@millrace/contracts';
import { commitBytes, commitKey, emptyMetadata, withColumnsOf, type ObjectStore } from '@millrace/lake';
import { describe, expect, it } from 'vitest';
import { SchemaHistory } from './schema-history.ts';
import { streamDetails } from './stream-details.ts';

const { signal } = new AbortController();

interface PlantedStore extends Pick<ObjectStore, 'get' | 'list'> {
  readonly objects: Map<string, Uint8Array>;
  /** Number of GETs so far. */
  gets(): number;
}

/** A store with the Iceberg table of the purchases, which got its column `genre` later. */
function storeWithTable(): PlantedStore {
  const before = { ...purchases, columns: purchases.columns.filter(({ name }) => name !== 'genre') };
  const metadata = withColumnsOf(purchases, emptyMetadata(before, 's3://lake/_iceberg/purchases', 'uuid'));
  const commit = {
    v: 1,
    n: 1,
    id: 'c1',
    prev: null,
    topic: 't',
    metadata: 'm.json',
    position: {},
    files: 1,
    rows: 1,
    lostRows: 0,
    atMs: 1,
    writer: 'w',
  } as const;
  const objects = new Map<string, Uint8Array>([
    ['m.json', Buffer.from(JSON.stringify(metadata))],
    [commitKey('purchases', 1), commitBytes(commit)],
  ]);
  let gets = 0;
  return {
    objects,
    gets: () => gets,
    get: async (key: string) => {
      gets += 1;
      return await Promise.resolve(objects.get(key));
    },
    list: async (prefix: string) => await Promise.resolve([...objects.keys()].filter((key) => key.startsWith(prefix))),
  };
}

describe('the history of a schema', () => {
  it('each schema of the Iceberg table names the columns that it added, the newest first', async () => {
    const history = await new SchemaHistory(storeWithTable(), purchases, () => 0).read(signal);
    expect(history).toMatchObject([
      { schema: 1, isCurrent: true, added: ['genre'] },
      { schema: 0, isCurrent: false, added: [] },
    ]);
    expect(history![1]!.columns).toContainEqual({ name: 'user_age', type: 'int' });
  });

  it('a history is read once in ten seconds, and null without a table', async () => {
    let now = 0;
    const store = storeWithTable();
    const history = new SchemaHistory(store, purchases, () => now);
    await history.read(signal);
    const gets = store.gets();
    await history.read(signal);
    expect(store.gets()).toBe(gets);
    store.objects.clear();
    now = 10_001;
    expect(await history.read(signal)).toBeNull();
  });

  it('a history that cannot be read leaves the rest of the answer', async () => {
    const failures: unknown[] = [];
    const broken = { read: async () => await Promise.reject(new Error('S3 is down')) };
    const { streams } = await streamDetails([{ stream: purchases, history: broken }], 'bookstore', (error) => failures.push(error), signal);
    expect(streams).toMatchObject([{ name: 'purchases', history: null, example: { userAge: 24 }, schema: { type: 'object' } }]);
    expect(failures).toHaveLength(1);
  });
});
