import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPyiceberg } from '@millrace/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ProjectedLake } from './testing/projected-lake.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/lake.md'), 'utf8');
const { AWS_ENDPOINT_URL: endpoint = '' } = process.env;
/** The day that the examples name. */
const day = '2024-01-31';
const seconds = Date.parse(`${day}T00:00:00Z`) / 1000;

let lake: ProjectedLake;

beforeAll(async () => {
  lake = await ProjectedLake.open();
  await lake.landed.land(0, [seconds, seconds + 1, seconds + 86_400]);
  await lake.projection().round();
});
afterAll(() => lake?.close());

/** The example of the page in a language, with the addresses and names of the test. */
function exampleOf(language: 'sql' | 'python'): string {
  const [, text] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)!;
  return text!
    .replaceAll('127.0.0.1:4566', new URL(endpoint).host)
    .replaceAll('millrace-lake', lake.bucket)
    .replaceAll('bookstore.', `${lake.stream.database}.`);
}

it('the example for DuckDB in docs/lake.md counts the rows of each day', async () => {
  // The extension is loaded from a file, because the tests fetch nothing from its registry.
  const sql = exampleOf('sql').replace('INSTALL iceberg; LOAD iceberg;', '').replace('CREATE SECRET', 'CREATE OR REPLACE SECRET');
  const answers: unknown[][] = [];
  for (const statement of sql.split(/;\n/).filter((text) => text.trim() !== '')) answers.push(await lake.rows(statement));
  const days = answers.at(-1) as { readonly dt: string }[];
  expect(days.toSorted((a, b) => (a.dt < b.dt ? -1 : 1))).toEqual([
    { dt: day, 'count_star()': '2' },
    { dt: '2024-02-01', 'count_star()': '1' },
  ]);
});

it('the example for pyiceberg in docs/lake.md counts the rows of one day', async () => {
  expect((await runPyiceberg(exampleOf('python'))).trim()).toBe('2');
}, 300_000);
