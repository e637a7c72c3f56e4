import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { FileReads, type ReadRange } from './file-reads.ts';
import { FileServer, type FileGrant, type FileLease } from './file-server.ts';
import type { LakeFile } from './lake-file.ts';

const small: LakeFile = { bucket: 'lake', key: 'purchases/dt=a b/x.parquet', bytes: 10, partition: 'a b/c' };
const large: LakeFile = { bucket: 'lake', key: 'purchases/dt=b/y.parquet', bytes: 1024 * 1024, partition: 'b' };

const servers: FileServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Content of each file: its bytes are their own offsets. */
function contentOf({ bytes }: LakeFile): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, offset) => offset % 251));
}

const fromContent: ReadRange = async (file, from, to) => Readable.from([contentOf(file).subarray(from, to)]);

async function serve(readRange = fromContent): Promise<{ server: FileServer; reads: string[] }> {
  const reads: string[] = [];
  const server = await FileServer.open(
    new FileReads(
      async (file, from, to, signal) => {
        reads.push(`${file.key} ${from}-${to}`);
        return await readRange(file, from, to, signal);
      },
      { keptBytesMax: 1024 * 1024, readMsMax: 10_000 },
    ),
  );
  servers.push(server);
  return { server, reads };
}

async function grantOf(): Promise<{ lease: FileLease; grant: FileGrant; reads: string[]; server: FileServer }> {
  const { server, reads } = await serve();
  const lease = server.lease();
  return { server, reads, lease, grant: lease.grant('dt', [small, large]) };
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

async function ask(url: string, range?: string, method = 'GET'): Promise<Answer> {
  const sent = request(url, { method, agent: false, headers: range === undefined ? {} : { range } });
  sent.end();
  const [response] = (await once(sent, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number; headers: NodeJS.Dict<string | string[]> },
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

describe('FileServer', () => {
  it('the file server names files by partition and position, and neither by bucket nor by key', async () => {
    const { lease, grant } = await grantOf();
    expect(grant.files.map((url) => url.slice(lease.url.length))).toEqual(['dt=a%20b%2Fc/0', 'dt=b/1']);
    expect(lease.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/$/);
  });

  it('the file server answers HEAD without a read of S3', async () => {
    const { grant, reads } = await grantOf();
    expect(await ask(grant.files[1]!, undefined, 'HEAD')).toMatchObject({
      status: 200,
      headers: { 'content-length': String(large.bytes), 'accept-ranges': 'bytes' },
    });
    expect(reads).toEqual([]);
    expect(grant.bytesSent()).toBe(0);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=3-7', 3, 8],
    ['bytes=8-', 8, 10],
    ['bytes=8-100', 8, 10],
  ])('the file server answers the range %s and counts its bytes', async (range, from, to) => {
    const { grant } = await grantOf();
    const { status, headers, body } = await ask(grant.files[0]!, range);
    expect({ status, contentRange: headers['content-range'] }).toEqual({ status: 206, contentRange: `bytes ${from}-${to - 1}/10` });
    expect(body).toEqual(contentOf(small).subarray(from, to));
    expect(grant.bytesSent()).toBe(to - from);
  });

  it('the file server answers a request without a range with the whole file', async () => {
    const { grant } = await grantOf();
    const { status, body } = await ask(grant.files[1]!);
    expect(status).toBe(200);
    expect(body.equals(contentOf(large))).toBe(true);
  });

  it.each(['bytes=10-', 'bytes=7-3', 'bytes=-5', 'lines=1-2', 'bytes=0-1,3-4'])('the file server refuses the range %s', async (range) => {
    const { grant } = await grantOf();
    expect((await ask(grant.files[0]!, range)).status).toBe(416);
  });

  it.each(['PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'])('the file server refuses %s', async (method) => {
    const { grant, reads } = await grantOf();
    expect((await ask(grant.files[0]!, undefined, method)).status).toBe(405);
    expect(reads).toEqual([]);
  });

  it('the file server answers nothing else: other files, other paths, other tokens, and a grant that was revoked', async () => {
    const { lease, grant, server, reads } = await grantOf();
    const other = server.lease().grant('dt', [small]);
    const origin = new URL(lease.url).origin;
    for (const url of [
      `${lease.url}dt=b/2`,
      `${lease.url}dt=b/1x`,
      `${lease.url}1`,
      lease.url,
      `${origin}/`,
      `${origin}/x/dt=b/1`,
      `${lease.url}a/b/1`,
    ]) {
      expect({ url, status: (await ask(url)).status }).toEqual({ url, status: 404 });
    }
    grant.revoke();
    expect((await ask(grant.files[0]!)).status).toBe(404);
    expect((await ask(other.files[0]!)).status).toBe(200);
    expect(reads).toEqual([`${small.key} 0-10`]);
  });

  it('the file server gives a file the same URL in each grant of a lease, and answers it while one is held', async () => {
    const { lease, grant } = await grantOf();
    grant.revoke();
    const later = lease.grant('dt', [large, small]);
    expect(later.files).toEqual(grant.files.toReversed());
    expect((await ask(later.files[0]!)).status).toBe(200);
    expect([grant.bytesSent(), later.bytesSent()]).toEqual([0, large.bytes]);
    lease.end();
    expect((await ask(later.files[0]!)).status).toBe(404);
  });

  it('the file server answers 503 when S3 cannot be read, and knows the reason', async () => {
    const reason = new Error('S3 is away');
    const { server } = await serve(async () => await Promise.reject(reason));
    const grant = server.lease().grant('dt', [large]);
    expect((await ask(grant.files[0]!)).status).toBe(503);
    expect(grant.failure()).toBe(reason);
    expect(grant.bytesSent()).toBe(0);
  });

  it('the file server breaks off an answer whose read breaks off', async () => {
    const { server } = await serve(async () => Readable.from(failing()));
    const grant = server.lease().grant('dt', [large]);
    await expect(ask(grant.files[0]!)).rejects.toThrow('aborted');
    expect(grant.failure()).toBeDefined();
  });

  it.each(['the reader disconnects', 'the grant is revoked'])('the file server ends a read of S3 when %s', async (why) => {
    const asked = Promise.withResolvers<AbortSignal>();
    const { server } = await serve(async (_file, _from, _to, signal) => {
      asked.resolve(signal);
      return await new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const grant = server.lease().grant('dt', [large]);
    const sent = request(grant.files[0]!, { agent: false });
    sent.on('error', () => undefined);
    sent.end();
    const signal = await asked.promise;
    if (why === 'the grant is revoked') grant.revoke();
    else sent.destroy();
    if (!signal.aborted) await once(signal, 'abort');
    expect(signal.aborted).toBe(true);
  });
});

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(1000);
  await Promise.resolve();
  throw new Error('reset');
}
