import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LakeError } from './errors.ts';
import { entryKey } from './keys.ts';
import { Ledger } from './ledger.ts';
import { allKeys, allObjects } from './object-store.ts';
import { s3Client, S3ObjectStore, type StoreCall } from './s3-object-store.ts';
import { sampleEntry, sampleLane } from './testing/sample-ledger.ts';

const client = s3Client();
const bucket = `lake-store-${randomUUID()}`;
let calls: StoreCall[] = [];
const store = new S3ObjectStore(client, bucket, async (call, run, signal) => {
  calls.push(call);
  return await run(signal);
});
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lake-store-'));
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(async () => {
  client.destroy();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => void (calls = []));

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function allOf<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => 'fulfilled',
    (error: LakeError) => error.code,
  );
}

it('an object from bytes or a file is read back whole, in part, by size and by metadata', async () => {
  const path = join(folder, 'body');
  await writeFile(path, 'from a file');
  await store.put('a/bytes', bytesOf('from memory'), {
    sha256: sha256('from memory'),
    metadata: { 'millrace-lost': '7' },
    contentType: 'text/plain',
  });
  await store.put('a/file', { path, bytes: 11 }, { sha256: sha256('from a file') });
  expect(Buffer.from((await store.get('a/bytes'))!).toString()).toBe('from memory');
  expect(Buffer.from((await store.getRange('a/file', 5, 11))!).toString()).toBe('a file');
  expect(await store.size('a/file')).toBe(11);
  expect(await store.metadata('a/bytes')).toEqual({ 'millrace-lost': '7' });
  expect(await store.metadata('a/file')).toEqual({});
  expect(calls).toEqual(['put', 'put', 'get', 'get', 'head', 'head', 'head']);
});

it('a body that differs from its hash is refused', async () => {
  await expect(store.put('a/wrong', bytesOf('other bytes'), { sha256: sha256('from memory') })).rejects.toThrow('S3 put of a/wrong');
  expect(await store.size('a/wrong')).toBeUndefined();
});

it('one of many concurrent puts-if-absent wins, and its bytes are kept', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => await codeOf(store.put('race', bytesOf(`writer ${n}`), { ifAbsent: true }))),
  );
  expect([outcomes.filter((outcome) => outcome === 'fulfilled').length, outcomes.filter((outcome) => outcome === 'exists').length]).toEqual(
    [1, 7],
  );
  expect(Buffer.from((await store.get('race'))!).toString()).toBe(`writer ${outcomes.indexOf('fulfilled')}`);
});

it('a missing object is distinguished from a failed call', async () => {
  expect([
    await store.get('nothing'),
    await store.getRange('nothing', 0, 4),
    await store.size('nothing'),
    await store.metadata('nothing'),
  ]).toEqual([undefined, undefined, undefined, undefined]);
  expect(await codeOf(store.copy('nothing', 'target'))).toBe('no-such-key');
  expect(await store.size('target')).toBeUndefined();
  await store.delete('nothing');
  expect(await codeOf(new S3ObjectStore(client, `absent-${bucket.slice(-12)}`).get('key'))).not.toBe('fulfilled');
});

it('a copy replaces an existing object and accepts keys that need escaping', async () => {
  const source = '_staging/t/ü +%&=/0';
  await store.put(source, bytesOf('new'));
  await store.put('copy/target', bytesOf('old'));
  await store.copy(source, 'copy/target');
  expect(Buffer.from((await store.get('copy/target'))!).toString()).toBe('new');
  await store.delete(source);
  expect(await store.size(source)).toBeUndefined();
  expect(calls).toEqual(['put', 'put', 'copy', 'get', 'delete', 'head']);
});

it('a listing returns keys in order, page by page, with sizes and times, and folder by folder', async () => {
  const keys = Array.from({ length: 1003 }, (_, n) => `many/p=${n % 3}/${String(n).padStart(4, '0')}`).toSorted();
  for (let start = 0; start < keys.length; start += 50)
    await Promise.all(keys.slice(start, start + 50).map(async (key) => await store.put(key, bytesOf(key.slice(-1)))));
  expect(await allOf(allKeys(store, 'many/'))).toEqual(keys);
  calls = [];
  const objects = await allOf(allObjects(store, 'many/'));
  expect(objects.map(({ key, bytes }) => ({ key, bytes }))).toEqual(keys.map((key) => ({ key, bytes: 1 })));
  for (const { putAtMs } of objects) expect(Math.abs(Date.now() - putAtMs!)).toBeLessThan(600_000);
  expect(calls).toEqual(['list', 'list']);
  expect(await store.list('many/', { startAfter: keys[500]!, limit: 2 })).toEqual([keys[501], keys[502]]);
  expect(await store.listFolders('many/')).toEqual(['p=0/', 'p=1/', 'p=2/']);
  expect(await store.list('none/')).toEqual([]);
});

it('one LIST and one GET find the head of a ledger, and the entry that holds an offset', async () => {
  const ledger = new Ledger(store, sampleLane);
  const patience = { wait: async () => await Promise.reject(new Error('nothing to wait for')) };
  expect(await ledger.head()).toBeUndefined();
  for (let n = 0; n < 12; n += 1)
    expect(await ledger.record(sampleEntry(n), patience, new AbortController().signal)).toEqual({ outcome: 'mine' });
  calls = [];
  expect(await ledger.head()).toEqual(sampleEntry(11));
  expect(calls).toEqual(['list', 'get']);
  expect(await ledger.entryHolding(57)).toEqual(sampleEntry(5));
  expect(await ledger.entryHolding(120)).toBeUndefined();
  expect(await ledger.record(sampleEntry(4), patience, new AbortController().signal)).toEqual({ outcome: 'mine' });
  expect(await ledger.record({ ...sampleEntry(4), writer: 'another' }, patience, new AbortController().signal)).toEqual({
    outcome: 'lost',
    winner: sampleEntry(4),
  });
  expect((await store.get(entryKey(sampleLane, 40)))!.byteLength).toBeGreaterThan(0);
});

it('an aborted signal ends a call with its reason', async () => {
  const stopping = new AbortController();
  stopping.abort(new Error('the lane stops'));
  await expect(store.put('aborted', bytesOf('x'), { signal: stopping.signal })).rejects.toThrow('the lane stops');
});

it.each([
  [403, 'AccessDenied', 'denied'],
  [403, 'SignatureDoesNotMatch', 'denied'],
  [400, 'ExpiredToken', 'denied'],
  [409, 'ConditionalRequestConflict', 'exists'],
  [412, 'PreconditionFailed', 'exists'],
  [400, 'InvalidArgument', 'invalid'],
  [503, 'SlowDown', 'unavailable'],
  [500, 'InternalError', 'unavailable'],
])('an answer %i %s is reported as %s, and the request is sent once', async (status, name, code) => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request
      .resume()
      .on('end', () =>
        response
          .writeHead(status, { 'content-type': 'application/xml' })
          .end(`<?xml version="1.0"?><Error><Code>${name}</Code><Message>m</Message></Error>`),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const failing = s3Client({}, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    const failed = new S3ObjectStore(failing, 'b');
    expect(await codeOf(failed.put('k', bytesOf('x'), { ifAbsent: true }))).toBe(code);
    expect(requests).toBe(1);
  } finally {
    failing.destroy();
    server.close();
  }
});

it('a refusal names the store and the bucket, and the store shows its address', async () => {
  const missing = new S3ObjectStore(s3Client({}, { endpoint: process.env['AWS_ENDPOINT_URL']! }), 'no-such-bucket');
  expect(missing.address).toBe('s3://no-such-bucket');
  await expect(missing.list('_ledger/')).rejects.toThrow(/^S3: NoSuchBucket: no-such-bucket: .* \(list of _ledger\/\)$/);
  expect(missing.address).toBe(`${process.env['AWS_ENDPOINT_URL']}/no-such-bucket`);
});

it('a refused connection is reported as unavailable', async () => {
  const nowhere = s3Client({}, { endpoint: 'http://127.0.0.1:1' });
  expect(await codeOf(new S3ObjectStore(nowhere, 'b').get('k'))).toBe('unavailable');
  nowhere.destroy();
});

it('a store under a prefix reaches nothing beside it, and its callers do not see the prefix', async () => {
  const root = `rooted-${randomUUID()}`;
  const rooted = new S3ObjectStore(client, `${bucket}/${root}/shop`);
  await store.put(`${root}/other`, bytesOf('beside'));
  for (const key of ['t/a/1', 't/a/2', 't/b/1']) await rooted.put(key, bytesOf(key), { metadata: { 'millrace-key': key } });
  await rooted.copy('t/a/1', 't/c/ü 1');
  expect(await rooted.list('')).toEqual(['t/a/1', 't/a/2', 't/b/1', 't/c/ü 1']);
  expect(await rooted.list('t/', { startAfter: 't/a/1', limit: 1 })).toEqual(['t/a/2']);
  expect(await rooted.listFolders('t/')).toEqual(['a/', 'b/', 'c/']);
  expect(Buffer.from((await rooted.get('t/c/ü 1'))!).toString()).toBe('t/a/1');
  expect(await rooted.metadata('t/b/1')).toEqual({ 'millrace-key': 't/b/1' });
  expect([await rooted.size('t/b/1'), await rooted.get('other')]).toEqual([5, undefined]);
  await rooted.delete('t/b/1');
  expect(await store.list(`${root}/`)).toEqual(['other', 'shop/t/a/1', 'shop/t/a/2', 'shop/t/c/ü 1'].map((key) => `${root}/${key}`));
});

it("each request names the bucket's owner, and each written object the key and the tags", async () => {
  const seen: Record<string, Record<string, string>> = {};
  const server = createServer((request, response) => {
    const kept = Object.entries(request.headers).filter(([name]) => /^x-amz-(expected|source-expected|server-side|tagging)/.test(name));
    seen[`${request.method} ${request.headers['x-amz-copy-source'] === undefined ? '' : 'copy'}`.trim()] = Object.fromEntries(
      kept.map(([name, value]) => [name, String(value)]),
    );
    request.resume().on('end', () => response.end(request.method === 'PUT' ? '<CopyObjectResult/>' : ''));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const settings = { kmsKey: 'alias/lake', bucketOwner: '123456789012', tags: ['team=shop', 'cost-centre=42 a'] };
  const owned = s3Client({}, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, settings);
  const objects = new S3ObjectStore(owned, 'lake');
  await objects.put('a', bytesOf('a'));
  await objects.copy('a', 'b');
  await objects.get('a');
  await objects.delete('a');
  owned.destroy();
  server.close();
  const owner = { 'x-amz-expected-bucket-owner': '123456789012' };
  const encryption = { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'alias/lake' };
  expect(seen).toEqual({
    PUT: { ...owner, ...encryption, 'x-amz-tagging': 'team=shop&cost-centre=42+a' },
    'PUT copy': { ...owner, ...encryption, 'x-amz-source-expected-bucket-owner': '123456789012' },
    GET: owner,
    DELETE: owner,
  });
});
