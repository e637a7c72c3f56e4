import { readFileSync } from 'node:fs';
import { FaultProxy, waitUntil } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as client from './index.ts';

const { PurchaseBatcher, PurchaseClient, QueryClient } = client;

function urlOf(name: string): string {
  const url = process.env[name];
  if (url === undefined) throw new Error(`${name} must say where the service is; ./millrace test does.`);
  return url;
}

const purchaseOf = (genre: string, n: number): client.PurchaseRequest => ({
  bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
  title: `Orlando ${n}`,
  author: 'Virginia Woolf',
  genre,
  userId: `user-${n % 7}`,
  userCountry: 'GB',
  userAge: 24,
  purchaseTimestamp: 1_575_121_641,
});

let proxy: FaultProxy;
beforeAll(async () => {
  proxy = await FaultProxy.start({ protocol: 'http', target: urlOf('PURCHASE_URL') });
});
afterAll(async () => await proxy?.close());

describe('the client and the real services', () => {
  it('a posted purchase survives a 503 and a lost answer and keeps its eventId', async () => {
    const purchases = new PurchaseClient({ url: proxy.url });
    const busy = await proxy.inject({ kind: 'status', status: 503 }, { times: 1 });
    const lost = await proxy.inject({ kind: 'apply-then-drop' }, { times: 1 });
    const eventId = crypto.randomUUID();
    expect(await purchases.post({ ...purchaseOf('Fiction', 0), eventId })).toMatchObject({ eventId, durability: 'kafka' });
    expect([busy.hits, lost.hits]).toEqual([1, 1]);
  });

  it('the table has each purchase of a batcher once, in spite of faults', async () => {
    const genre = `Client ${crypto.randomUUID()}`;
    const batcher = new PurchaseBatcher(new PurchaseClient({ url: proxy.url }), { countMax: 50, heldCountMax: 100 });
    const busy = await proxy.inject({ kind: 'status', status: 503 }, { times: 1 });
    const lost = await proxy.inject({ kind: 'apply-then-drop' }, { times: 1 });
    const held: client.HeldPurchase[] = [];
    for (let n = 0; n < 300; n += 1) held.push(await batcher.add(purchaseOf(genre, n)));
    await batcher.close();
    const outcomes = await Promise.all(held.map(async ({ outcome }) => await outcome));
    expect(outcomes.filter(({ accepted }) => !accepted)).toEqual([]);
    expect([busy.hits, lost.hits]).toEqual([1, 1]);

    const queries = new QueryClient({ url: urlOf('QUERY_URL') });
    const sql = 'SELECT event_id FROM purchases WHERE genre = ? ORDER BY event_id';
    const rows = await waitUntil(
      'all of them in the table',
      async () => {
        const { id } = await queries.run({ sql, parameters: [genre] });
        const found: unknown[] = [];
        for await (const row of queries.rows(id, { pageRowsMax: 100 })) found.push(row['event_id']);
        return found.length >= 300 ? found : undefined;
      },
      { timeoutMs: 60_000 },
    );
    expect(rows).toEqual(held.map(({ eventId }) => eventId).toSorted());
  });

  it('QueryClient names the reason of a refusal, and lists and cancels queries', async () => {
    const queries = new QueryClient({ url: urlOf('QUERY_URL') });
    await expect(queries.run({ sql: 'DROP TABLE purchases' })).rejects.toMatchObject({
      code: 'problem',
      status: 400,
      problem: { type: 'urn:millrace:problem:statement-not-allowed' },
    });
    const marker = crypto.randomUUID();
    const { id } = await queries.run({ sql: `SELECT '${marker}' AS marker` });
    expect(await queries.list({ text: marker })).toMatchObject({ queries: [{ id, state: 'succeeded' }] });
    expect(await queries.cancel(id)).toMatchObject({ id, state: 'succeeded' });
    expect((await queries.tables()).tables.map(({ name }) => name)).toContain('purchases');
    expect((await queries.reports()).reports.map(({ name }) => name)).toContain('sales-by-genre');
    expect((await queries.engines()).engines.map(({ name }) => name)).toContain('duckdb');
  });
});

describe('the example of README.md', () => {
  it('the example runs as written', async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const source = /```ts\nimport ([^]*?) from '@millrace\/client';\n([^]*?)```/.exec(readme);
    expect(source).not.toBeNull();
    const [, names, body] = source!;
    const text = body!.replaceAll('http://127.0.0.1:3001', urlOf('PURCHASE_URL')).replaceAll('http://127.0.0.1:3003', urlOf('QUERY_URL'));
    const printed: unknown[][] = [];
    const output = { log: (...line: unknown[]) => printed.push(line), error: (...line: unknown[]) => printed.push(line) };
    const AsyncFunction = (async () => undefined).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<void>;
    await new AsyncFunction('client', 'console', `const ${names!} = client;\n${text}`)(client, output);
    expect(printed.slice(0, 2)).toEqual([[expect.any(String), 'kafka'], [true]]);
  });
});
