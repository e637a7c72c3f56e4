import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DocumentCheck, type GivenAnswer } from '@millrace/contracts/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOf } from '../repository.ts';
import { differences, snippetsOf, type Snippet } from './snippets.ts';

const sh = promisify(execFile);

// The snippets use curl, which a machine need not have: they get one that is made of Node's fetch.
const bin = mkdtempSync(join(tmpdir(), 'millrace-curl-'));
writeFileSync(
  join(bin, 'curl'),
  `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${join(import.meta.dirname, 'curl.ts')}' "$@"\n`,
);
chmodSync(join(bin, 'curl'), 0o755);
const record = join(bin, 'record.ndjson');
afterAll(() => rmSync(bin, { recursive: true, force: true }));

const addresses: Readonly<Record<string, string>> = {
  'http://127.0.0.1:3001': urlOf('PURCHASE_URL'),
  'http://127.0.0.1:3002': urlOf('SINK_URL'),
  'http://127.0.0.1:3003': urlOf('QUERY_URL'),
};

/** The OpenAPI documents of the services, by origin. */
const checks = new Map<string, DocumentCheck>();

function urlOf(name: string): string {
  const url = process.env[name];
  if (url === undefined) throw new Error(`${name} must say where the service is; ./millrace test does.`);
  return url;
}

/** A busy test machine makes a service shed load: the request is sent again after the second that such an answer asks for. */
async function patiently<T extends { readonly status: number; readonly text: string }>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send();
    if (attempt === 10 || answer.status !== 503 || !answer.text.includes('urn:millrace:problem:overloaded')) return answer;
    await pause(1_000);
  }
}

/** Runs a snippet against the services under test. */
async function run(script: string): Promise<{ status: number; text: string }> {
  return await patiently(async () => await runOnce(script));
}

async function runOnce(script: string): Promise<{ status: number; text: string }> {
  const here = Object.entries(addresses).reduce((text, [shown, actual]) => text.replaceAll(shown, actual), script);
  rmSync(record, { force: true });
  const env = { ...process.env, CURL_RECORD: record, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  const { stdout } = await sh('sh', ['-euc', `${here} -w '\\n%{http_code}'`], { timeout: 60_000, env });
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}

/** Lists the differences between the answers of the last snippet and the OpenAPI documents of the services. */
async function documentFaults(): Promise<string[]> {
  const answers = existsSync(record) ? readFileSync(record, 'utf8').trim().split('\n') : [];
  if (answers.length === 0) return ['The snippet called no service.'];
  const faults: string[] = [];
  for (const line of answers) {
    const { url, ...answer } = JSON.parse(line) as Omit<GivenAnswer, 'path'> & { readonly url: string };
    const { origin, pathname } = new URL(url);
    const check = checks.get(origin);
    if (check !== undefined) faults.push(...check.answerFaults({ ...answer, path: pathname }));
  }
  return faults;
}

/** Counts the user's rows. Any other answer than a result counts as 0. */
async function countOf(userId: string): Promise<string> {
  const answer = await fetch(`${addresses['http://127.0.0.1:3003']}/v1/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ sql: 'SELECT count(*) AS n FROM purchases WHERE user_id = ?', parameters: [userId] }),
  });
  return ((await answer.json()) as { results?: { rows: string[][] } }).results?.rows[0]?.[0] ?? '0';
}

// The pages assume a table that has rows.
beforeAll(async () => {
  for (const name of ['PURCHASE_URL', 'SINK_URL', 'QUERY_URL'])
    checks.set(new URL(urlOf(name)).origin, await DocumentCheck.of(urlOf(name)));
  const userId = `docs-${crypto.randomUUID()}`;
  const body = JSON.stringify({
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId,
    userCountry: 'GB',
    userAge: 24,
    purchaseTimestamp: 1575121641,
  });
  const { status, text } = await patiently(async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${addresses['http://127.0.0.1:3001']}/v1/purchases`, { method: 'POST', headers, body });
    return { status: answer.status, text: await answer.text() };
  });
  if (status !== 202) throw new Error(`The purchase was answered ${status}: ${text}`);
  const late = performance.now() + 90_000;
  while ((await countOf(userId)) !== '1') {
    if (performance.now() > late) throw new Error('The purchase was not queryable after 90 s.');
    await pause(500);
  }
}, 120_000);

/** Lists the differences between an answer and the page, one line each. */
function faultsOf(given: { readonly status: number; readonly text: string }, answer: Snippet['answer']): string[] {
  if (given.status !== answer?.status) return [`${given.status}, not ${answer?.status}: ${given.text.slice(0, 1000)}`];
  switch (answer.language) {
    case 'json':
      return differences(JSON.parse(answer.text), JSON.parse(given.text));
    case 'csv':
      return given.text.replaceAll('\r\n', '\n').trimEnd() === answer.text.trimEnd() ? [] : [given.text];
    default:
      return given.text.startsWith(answer.text.slice(0, 6)) ? [] : [given.text.slice(0, 1000)];
  }
}

describe('docs/http.md', () => {
  it.each(snippetsOf(textOf('docs/http.md')))('the real answer matches the shown one: $script', async ({ script, answer }) => {
    expect(faultsOf(await run(script), answer)).toEqual([]);
    expect(await documentFaults()).toEqual([]);
  });
});

describe('README.md', () => {
  it.each(snippetsOf(textOf('README.md')))('the command works as shown: $script', async ({ script }) => {
    const { status, text } = await run(script);
    expect(status === 202 || status === 200 ? '' : `${status}: ${text}`).toBe('');
    expect(text.includes('"durability":"kafka"') || text.includes('"state":"succeeded"') ? '' : text).toBe('');
  });
});
