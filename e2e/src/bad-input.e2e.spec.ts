import { problemMediaType } from '@millrace/contracts';
import { waitUntil } from '@millrace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask, post, query } from './http.ts';
import { recordedOffsets } from './landed.ts';
import { seedExample } from './purchases.ts';
import { lake, stack } from './stack.ts';
import { endOffsets } from './topic.ts';

const purchasesUrl = `${stack.purchaseUrl}/v1/purchases`;
const queriesUrl = `${stack.queryUrl}/v1/queries`;
const seed = JSON.parse(seedExample) as Record<string, unknown>;
const { title: _title, ...untitled } = seed;

/** Objects that the sink derives from the ledger in the background, and deletes later. */
const projections = /^_(staging|checkpoints|windows)\//;

/** Everything that bad input could change: the topic, and every object of the lake. */
async function world(): Promise<unknown> {
  return { topic: await endOffsets(stack.topic), objects: (await lake.objects('')).filter(({ key }) => !projections.test(key)) };
}

beforeAll(async () => {
  // The table rests first, so that the test causes every later change.
  await waitUntil(
    'the sink to have landed what other tests posted',
    async () => {
      const ends = await endOffsets(stack.topic);
      return (await recordedOffsets(stack.table, stack.topic)) === ends.reduce((sum, end) => sum + end, 0);
    },
    { timeoutMs: 60_000 },
  );
});

describe('bad input', () => {
  it.each<[string, number, RequestInit, { type: string; field?: string }]>([
    ['a field of the wrong type', 400, { body: JSON.stringify({ ...seed, userAge: 'old' }) }, { type: 'validation', field: 'userAge' }],
    ['a field out of its range', 400, { body: JSON.stringify({ ...seed, userAge: 151 }) }, { type: 'validation', field: 'userAge' }],
    ['a missing field', 400, { body: JSON.stringify(untitled) }, { type: 'validation', field: 'title' }],
    ['an unknown field', 400, { body: JSON.stringify({ ...seed, colour: 'red' }) }, { type: 'validation', field: 'colour' }],
    ['a body of 2 MB', 413, { body: JSON.stringify({ ...seed, title: 'x'.repeat(2_000_000) }) }, { type: 'body-too-large' }],
    ['no JSON', 400, { body: seedExample.slice(0, -1) }, { type: 'invalid-json' }],
    ['no content type', 415, { body: Buffer.from(seedExample), headers: {} }, { type: 'unsupported-media-type' }],
  ])(
    'the purchase API refuses %s with a problem that names the fault, and nothing changes',
    async (_what, status, init, { type, field }) => {
      const before = await world();
      const answer = await ask(purchasesUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, ...init });
      expect(answer).toMatchObject({
        status,
        contentType: expect.stringContaining(problemMediaType) as string,
        body: { type: `urn:millrace:problem:${type}`, status, title: expect.any(String) as string, detail: expect.any(String) as string },
      });
      expect(answer.body.errors?.map((error) => error.field)).toEqual(field === undefined ? undefined : [field]);
      expect(answer.body.detail).toContain(field ?? '');
      expect(await world()).toEqual(before);
    },
  );

  it.each<[string, unknown, string]>([
    ['two statements', { sql: 'SELECT 1 AS one; SELECT 2 AS two' }, 'statement-not-allowed'],
    ['a statement that changes something', { sql: 'DROP TABLE purchases' }, 'statement-not-allowed'],
    ['a statement that reads files', { sql: "SELECT * FROM read_csv('/etc/passwd')" }, 'statement-not-allowed'],
    ['a statement that no engine understands', { sql: 'SELEC 1' }, 'statement-invalid'],
    ['a query without a statement', {}, 'validation'],
  ])('the query API refuses %s with a problem that names the fault, and nothing changes', async (_what, body, type) => {
    const before = await world();
    for (const engine of ['duckdb', 'athena']) {
      const answer = await post(queriesUrl, { ...(body as object), engine });
      expect(answer).toMatchObject({
        status: 400,
        contentType: expect.stringContaining(problemMediaType) as string,
        body: { type: `urn:millrace:problem:${type}`, status: 400, detail: expect.any(String) as string },
      });
    }
    expect(await world()).toEqual(before);
    expect((await query({ sql: 'SELECT count(*) AS n FROM purchases' })).rows).toHaveLength(1);
  });
});
