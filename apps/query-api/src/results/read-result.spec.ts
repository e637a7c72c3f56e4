import type { ResultRow } from '../engines/query-engine.ts';
import { expect, it } from 'vitest';
import { readPage, readRows } from './read-result.ts';
import type { ResultManifest, ResultPart } from './result-manifest.ts';

const rows: ResultRow[] = Array.from({ length: 2500 }, (_, n) => [String(n), `a line\nbreak, "quotes" and é ${n}`, null]);
const stored = new Map(
  [rows.slice(0, 2200), rows.slice(2200)].map((part, index) => [
    `part-${index}`,
    Buffer.from(part.map((row) => `${JSON.stringify(row)}\n`).join('')),
  ]),
);
const store = { get: async (key: string) => await Promise.resolve(stored.get(key)) };
const parts: ResultPart[] = [2200, 300].map((count, index) => ({
  key: `part-${index}`,
  rows: count,
  bytes: stored.get(`part-${index}`)!.length,
}));
const manifest: ResultManifest = { v: 1, queryId: 'q', columns: [], rows: rows.length, bytes: 0, bytesScanned: 0, parts };

it('a whole result is read in batches of at most 1,000 rows, in order', async () => {
  const batches: (readonly ResultRow[])[] = [];
  for await (const batch of readRows(store, manifest)) batches.push(batch);
  expect(batches.map(({ length }) => length)).toEqual([1000, 1000, 200, 300]);
  expect(batches.flat()).toEqual(rows);
});

it('pages give the same rows as the whole result', async () => {
  const read: ResultRow[] = [];
  for (let cursor: string | undefined, more = true; more;) {
    const page = await readPage(store, manifest, cursor, 700);
    read.push(...page.rows);
    cursor = page.next;
    more = cursor !== undefined;
  }
  expect(read).toEqual(rows);
});

it('a result in its manifest is read as one in objects', async () => {
  const text = `${JSON.stringify(rows[0])}\n`;
  const batches: (readonly ResultRow[])[] = [];
  for await (const batch of readRows(store, { ...manifest, rows: 1, parts: [{ rows: 1, bytes: text.length, text }] })) batches.push(batch);
  expect(batches).toEqual([[rows[0]]]);
});

it('an object that has expired is reported as gone', async () => {
  const missing = { ...manifest, parts: [{ key: 'none', rows: 1, bytes: 1 }] };
  await expect(readRows(store, missing).next()).rejects.toMatchObject({ code: 'gone' });
});
