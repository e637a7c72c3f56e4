import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { purchases } from '@millrace/contracts';
import { S3ObjectStore } from '@millrace/lake';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lakeTable } from '../../lake-tables.ts';
import { openTestLake, testParts, type TestLake } from '../../testing-lake.ts';
import type { SearchMessage, Shown } from '../../testing-session.ts';
import { FileReads } from './file-reads.ts';
import { FileServer } from './file-server.ts';
import type { PrepareMessage, SandboxTable } from './sandbox-protocol.ts';
import { rangeReader } from './s3-reads.ts';
import { sandboxEnvironment } from './sandbox.ts';

const secrets = {
  AWS_ACCESS_KEY_ID: 'AKIAFINDMEIFYOUCAN00',
  AWS_SECRET_ACCESS_KEY: 'secret-that-must-stay-hidden-0000000',
  AWS_SESSION_TOKEN: 'token-that-must-stay-hidden-0000000',
};
const fileName = 'p7-123-456-unmistakable';

let lake: TestLake;
let server: FileServer;
let temporary: string;
let shown: readonly Shown[];
let url: string;

beforeAll(async () => {
  Object.assign(process.env, secrets);
  lake = await openTestLake();
  await lake.land([{ genre: 'Fiction', userId: 'ann', userAge: 30, purchaseTimestamp: 1_575_121_641 }], { name: fileName });
  server = await FileServer.open(new FileReads(rangeReader(lake.aws.s3, 5), { keptBytesMax: 0, readMsMax: 10_000 }));
  temporary = await mkdtemp(join(tmpdir(), 'locked-session-'));
  const table = await lakeTable(
    { stream: purchases, filter: () => true, filesMax: 10 },
    { database: lake.database, catalogOf: () => lake.catalog, storeOf: (bucket) => new S3ObjectStore(lake.aws.s3, bucket) },
    AbortSignal.timeout(30_000),
  );
  const lease = server.lease();
  const { files } = lease.grant(table.partitionKey, table.files);
  url = files[0]!;
  shown = await search({ ...table, files }, lease.url);
}, 300_000);
afterAll(async () => {
  await server?.close();
  await lake?.close();
  await rm(temporary, { recursive: true, force: true });
});

/** Runs hostile statements in a process and a session that are locked as a sandbox's are. */
async function search(table: SandboxTable, filesUrl: string): Promise<Shown[]> {
  const child = fork(join(import.meta.dirname, '../../testing-session.ts'), [], {
    env: sandboxEnvironment(homedir()),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const prepare: PrepareMessage = {
    kind: 'prepare',
    limits: { memoryMiB: 256, processMemoryMiB: 1024, threads: 1, tempMiB: 16 },
    tempDirectory: temporary,
    httpfsPath: testParts.httpfsPath,
    filesUrl,
    keepsFiles: true,
  };
  const message: SearchMessage = {
    prepare,
    tables: [table],
    // No argument holds a searched text, because a log repeats statements.
    texts: ['purchases', url, 's3://another-bucket/**', '/proc/self/environ', 'HTTP'],
    statements: [
      "CALL enable_logging('HTTP', storage = 'memory')",
      "SELECT * FROM enable_logging(level = 'trace')",
      'SELECT genre FROM purchases',
      'SELECT * FROM duckdb_logs',
      "SELECT * FROM duckdb_logs_parsed('HTTP')",
      'SELECT * FROM duckdb_secrets(redact = false)',
      "SELECT * FROM which_secret('s3://x/y', 's3')",
      'EXPLAIN ANALYZE SELECT genre FROM purchases',
      'EXPLAIN (FORMAT json) SELECT genre FROM purchases',
      "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
      `SELECT * FROM read_parquet('${url}', filename = true)`,
      `SELECT * FROM parquet_kv_metadata('${url}')`,
      `SELECT * FROM read_blob('${url}')`,
      `SELECT * FROM read_parquet('${filesUrl}../../x')`,
      "SELECT * FROM read_parquet('s3://another-bucket/x.parquet')",
      "SELECT * FROM read_text('/proc/self/environ')",
      "SELECT * FROM glob('/proc/self/*')",
      'SET lock_configuration = false',
      "SET s3_endpoint = '127.0.0.1:1'",
      'CREATE SECRET other (TYPE s3, PROVIDER credential_chain)',
      `COPY (SELECT 1) TO '${url}' (FORMAT parquet)`,
      `COPY (SELECT 1) TO '${filesUrl}new.parquet' (FORMAT parquet)`,
      "COPY (SELECT 1) TO '/tmp/millrace-must-not-exist'",
      "ATTACH '/tmp/millrace-must-not-exist.db'",
      "LOAD '/tmp/millrace-must-not-exist.duckdb_extension'",
    ],
  };
  child.send(message);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The process of the session ended with ${code} before it answered.`);
  });
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [Shown[]];
  ended.catch(() => undefined);
  return answer;
}

it('the search calls everything that the session knows, and finds the definition of the view and the rows', () => {
  expect(shown.length).toBeGreaterThan(1000);
  expect(shown.filter(({ failed }) => !failed).length).toBeGreaterThan(300);
  const seen = (text: string): string[] =>
    shown.filter(({ output, sql }) => output.includes(text) && !sql.includes(text)).map(({ sql }) => sql);
  // The session itself shows this URL, so that the search would find more if there were more.
  expect(seen(url).join('\n')).toContain('duckdb_views');
  expect(seen('Fiction')).toContain('SELECT genre FROM purchases');
  expect(shown.find(({ sql }) => sql === 'SELECT * FROM duckdb_logs')).toMatchObject({ failed: false });
});

it.each([
  ['the access key id', () => secrets.AWS_ACCESS_KEY_ID],
  ['the secret key', () => secrets.AWS_SECRET_ACCESS_KEY],
  ['the session token', () => secrets.AWS_SESSION_TOKEN],
  ['a header of a signed request', () => 'AWS4-HMAC'],
  ['an Authorization header', () => 'Authorization='],
  ['the key of a file', () => fileName],
  ['the bucket', () => lake.bucket],
  ['the endpoint of S3', () => new URL(testParts.endpoint).host],
])('no output of a locked session holds %s', (_name, secret) => {
  const text = secret().toLowerCase();
  const leaks = shown.filter(({ output }) => output.toLowerCase().includes(text));
  expect(leaks.map(({ sql, output }) => ({ sql, output: output.slice(0, 500) }))).toEqual([]);
});

it('a locked session writes nothing: not over HTTP, not into the lake, and no file but its own temporary ones', async () => {
  const writes = shown.filter(({ sql }) => /^(?:COPY|ATTACH|LOAD|CREATE SECRET|SET )/.test(sql));
  expect(writes.filter(({ failed }) => !failed)).toEqual([]);
  expect(await lake.store.list('')).toEqual([`purchases/dt=2019-11-30/${fileName}.parquet`]);
  expect(await readdir(temporary)).toEqual([]);
});
