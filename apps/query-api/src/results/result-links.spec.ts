import { queryLimits } from '@millrace/contracts';
import { expect, it } from 'vitest';
import { linksTo } from './result-links.ts';
import type { ResultManifest, ResultPart } from './result-manifest.ts';

const queryId = '00000000-0000-4000-8000-000000000000';
const columns = [{ name: 'n', type: 'bigint' }];

function manifestOf(parts: readonly ResultPart[]): ResultManifest {
  const sum = (of: (part: ResultPart) => number): number => parts.reduce((total, part) => total + of(part), 0);
  return { v: 1, queryId, columns, rows: sum(({ rows }) => rows), bytes: sum(({ bytes }) => bytes), bytesScanned: 0, parts };
}

const linkTo = async (key: string, seconds: number): Promise<string> => `https://s3/${key}?${seconds}`;
const failing = async (): Promise<string> => await Promise.reject(new Error('no credentials'));
const stored = manifestOf(Array.from({ length: queryLimits.linksMax + 2 }, (_, n) => ({ key: `part-${n}`, rows: 10, bytes: 100 })));

it('each stored part has a link that ends with the others', async () => {
  const { parts, ...links } = await linksTo(manifestOf(stored.parts.slice(0, 2)), { seconds: 60, cursor: undefined }, 1500, linkTo);
  expect(links).toEqual({ columns, rows: 20, bytes: 200, expiresAt: '1970-01-01T00:01:01.000Z' });
  expect(parts).toEqual([0, 1].map((n) => ({ rows: 10, bytes: 100, url: `https://s3/part-${n}?60` })));
});

it('the cursor of an answer leads to the parts that did not fit into it', async () => {
  const first = await linksTo(stored, { seconds: 60, cursor: undefined }, 0, linkTo);
  expect(first.parts).toHaveLength(queryLimits.linksMax);
  const second = await linksTo(stored, { seconds: 60, cursor: first.next }, 0, linkTo);
  expect(second.parts.map(({ url }) => url)).toEqual([`https://s3/part-1000?60`, `https://s3/part-1001?60`]);
  expect(second.next).toBeUndefined();
});

it('a result that lies in its manifest is in the link itself', async () => {
  const text = '["1"]\n["é"]\n';
  const { parts } = await linksTo(
    manifestOf([{ rows: 2, bytes: Buffer.byteLength(text), text }]),
    { seconds: 60, cursor: undefined },
    0,
    linkTo,
  );
  expect(await (await fetch(parts[0]!.url)).text()).toBe(text);
});

it('a result without rows has no parts', async () => {
  expect(await linksTo(manifestOf([]), { seconds: 60, cursor: undefined }, 0, linkTo)).toMatchObject({ rows: 0, parts: [] });
});

it('a cursor of another query is refused, and a failure to sign is unavailable', async () => {
  await expect(linksTo(stored, { seconds: 60, cursor: 'bm90OjE' }, 0, linkTo)).rejects.toMatchObject({ code: 'validation' });
  await expect(linksTo(stored, { seconds: 60, cursor: undefined }, 0, failing)).rejects.toMatchObject({ code: 'unavailable' });
});
