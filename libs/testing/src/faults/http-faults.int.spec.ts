import { createHash } from 'node:crypto';
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

let server: Server;
let proxy: FaultProxy;
let seen: Seen[];
let arrived: () => void;

beforeEach(async () => {
  seen = [];
  arrived = () => undefined;
  server = createServer((message, response) => void serve(message, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start({ protocol: 'http', target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bytesOf(message);
  seen.push({
    method: message.method!,
    url: message.url!,
    body: body.length > 1000 ? createHash('sha256').update(body).digest('hex') : body.toString(),
    headers: message.headers,
  });
  const text = message.url === '/large' ? large : Buffer.from(`answer ${seen.length}`);
  response.writeHead(200, { 'content-length': text.length }).end(text);
  arrived();
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

afterEach(async () => {
  await proxy.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const large = Buffer.alloc(3_000_000, 'large ');
const cutOff = { cause: { code: expect.stringMatching(/ECONNRESET|UND_ERR_SOCKET/) as string } };
const put = async (path = '/b/k', init: RequestInit = {}): Promise<Response> =>
  await fetch(`${proxy.url}${path}`, { method: 'PUT', body: 'bytes', ...init });

describe('a fault proxy for HTTP', () => {
  it('a proxy without faults changes nothing: bodies, headers, query, and connection reuse', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number>();
    const ask = async (
      options: { method: string; path: string; headers?: Record<string, string> },
      body?: Buffer,
    ): Promise<{ status: number; bytes: number }> =>
      await new Promise((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port: proxy.port, agent, ...options }, (got) => {
          bytesOf(got).then((bytes) => resolve({ status: got.statusCode!, bytes: bytes.length }), reject);
        });
        sent.on('socket', (socket) => socket.once('connect', () => ports.add(socket.localPort!)));
        sent.on('error', reject);
        sent.end(body);
      });
    try {
      expect(await ask({ method: 'PUT', path: '/large', headers: { expect: '100-continue', 'x-own': 'yes' } }, large)).toEqual({
        status: 200,
        bytes: large.length,
      });
      expect(await ask({ method: 'GET', path: '/a%20b?list-type=2&prefix=x%2F' })).toEqual({ status: 200, bytes: 8 });
      expect(await ask({ method: 'HEAD', path: '/b/k' })).toEqual({ status: 200, bytes: 0 });
      expect(await ask({ method: 'DELETE', path: '/b/k' })).toEqual({ status: 200, bytes: 8 });
    } finally {
      agent.destroy();
    }
    expect(ports.size).toBe(1);
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PUT /large',
      'GET /a%20b?list-type=2&prefix=x%2F',
      'HEAD /b/k',
      'DELETE /b/k',
    ]);
    expect(seen[0]!.body).toBe(createHash('sha256').update(large).digest('hex'));
    expect(seen[0]!.headers['x-own']).toBe('yes');
    expect(seen[3]!.headers['transfer-encoding']).toBeUndefined();
    expect(proxy.counts).toEqual({ seen: 4, inFlight: 0, hits: {} });
  });

  it('the fault refuse rejects connections until it is cleared, and the proxy listens on the same port again', async () => {
    const fault = await proxy.inject({ kind: 'refuse' });
    await expect(put()).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await fault.clear();
    expect((await put()).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it('the fault black-hole accepts the request, never answers and delivers nothing', async () => {
    const fault = await proxy.inject({ kind: 'black-hole' }, { times: 1 });
    const giveUp = new AbortController();
    const answer = put('/b/k', { signal: giveUp.signal });
    await fault.hit();
    expect(proxy.counts.inFlight).toBe(1);
    giveUp.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await fault.done();
    expect(proxy.counts).toEqual({ seen: 1, inFlight: 0, hits: { 'black-hole': 1 } });
    expect((await put()).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it('the fault reset closes the connection before the request is delivered', async () => {
    await proxy.inject({ kind: 'reset' }, { times: 1 });
    await expect(put()).rejects.toMatchObject(cutOff);
    expect(seen).toHaveLength(0);
  });

  it('the fault status answers with an error of AWS and delivers nothing', async () => {
    await proxy.inject({ kind: 'status', status: 503 }, { times: 1, when: { method: 'PUT', path: /^\/b\// } });
    expect((await put('/other')).status).toBe(200);
    const answer = await put();
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('<Code>SlowDown</Code>')]);
    await proxy.inject({ kind: 'status', status: 403 }, { times: 1 });
    const glue = await fetch(proxy.url, { method: 'POST', headers: { 'x-amz-target': 'AWSGlue.GetTable' }, body: '{}' });
    expect([glue.status, await glue.json()]).toEqual([403, { __type: 'AccessDeniedException', message: expect.any(String) as string }]);
    expect(seen.map(({ url }) => url)).toEqual(['/other']);
  });

  it('an applied request loses its answer: dropped, replaced by a failure, or never sent', async () => {
    await proxy.inject({ kind: 'apply-then-drop' }, { times: 1 });
    await expect(put('/dropped')).rejects.toMatchObject(cutOff);
    await proxy.inject({ kind: 'apply-then-status', status: 500 }, { times: 1 });
    expect((await put('/failed')).status).toBe(500);
    const swallowed = await proxy.inject({ kind: 'swallow-answer' }, { times: 1 });
    const giveUp = new AbortController();
    const applied = new Promise<void>((resolve) => (arrived = resolve));
    const answer = put('/swallowed', { signal: giveUp.signal });
    await applied;
    giveUp.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await swallowed.done();
    expect(seen.map(({ url, body }) => [url, body])).toEqual([
      ['/dropped', 'bytes'],
      ['/failed', 'bytes'],
      ['/swallowed', 'bytes'],
    ]);
  });

  it('the fault copy-error puts an error into a 200 for CopyObject only', async () => {
    await proxy.inject({ kind: 'copy-error' }, { times: 1 });
    expect(await (await put()).text()).toBe('answer 1');
    const answer = await put('/b/copy', { headers: { 'x-amz-copy-source': '/b/k' } });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<Code>InternalError</Code>')]);
    expect(seen).toHaveLength(1);
    await proxy.inject({ kind: 'copy-error', apply: true }, { times: 1 });
    await put('/b/copy', { headers: { 'x-amz-copy-source': '/b/k' } });
    expect(seen[1]).toMatchObject({ url: '/b/copy', headers: { 'x-amz-copy-source': '/b/k' } });
  });

  it('the fault late delivers a request only after its client has left', async () => {
    const fault = await proxy.inject({ kind: 'late' }, { times: 1 });
    const giveUp = new AbortController();
    const answer = put('/late', { signal: giveUp.signal });
    await fault.hit();
    expect((await put('/meanwhile')).status).toBe(200);
    giveUp.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await fault.done();
    expect(seen.map(({ url, body }) => [url, body])).toEqual([
      ['/meanwhile', 'bytes'],
      ['/late', 'bytes'],
    ]);
    expect(proxy.counts.inFlight).toBe(0);
  });

  it('the fault twice delivers a request two times and returns the configured answer', async () => {
    await proxy.inject({ kind: 'twice' }, { times: 1 });
    expect(await (await put()).text()).toBe('answer 2');
    await proxy.inject({ kind: 'twice', answer: 'first' }, { times: 1 });
    expect(await (await put()).text()).toBe('answer 3');
    expect(seen.map(({ body }) => body)).toEqual(['bytes', 'bytes', 'bytes', 'bytes']);
  });

  it('the fault slow delays the matching answers and keeps them complete', async () => {
    const fault = await proxy.inject({ kind: 'slow', latencyMs: 120, bytesPerSecond: 20_000_000 }, { when: { path: '/large' } });
    const before = performance.now();
    const answer = await put('/large');
    expect((await answer.arrayBuffer()).byteLength).toBe(large.length);
    // Only the lower bound: 120 ms, and 3 MB at 20 MB a second. Timers may be early by a millisecond for each of some fifty chunks.
    expect(performance.now() - before).toBeGreaterThan(200);
    await fault.clear();
    expect(fault.active).toBe(false);
  });

  it('the client sees a reset when the target is down', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(put()).rejects.toMatchObject(cutOff);
    expect(proxy.counts.inFlight).toBe(0);
  });

  it('a fault that the proxy cannot produce is refused', async () => {
    await expect(proxy.inject({ kind: 'refuse' }, { times: 1 })).rejects.toThrow(TypeError);
    const plain = await FaultProxy.start({ protocol: 'tcp', target: '127.0.0.1:1' });
    await expect(plain.inject({ kind: 'status', status: 500 })).rejects.toThrow('A tcp proxy cannot produce the fault status.');
    await plain.close();
    await expect(FaultProxy.start({ protocol: 'tcp', target: 'localhost' })).rejects.toThrow(TypeError);
  });
});
