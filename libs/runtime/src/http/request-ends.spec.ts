import { Body, Controller, Get, Module, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Socket, connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { Metrics } from '../metrics/metrics.ts';
import { type RunningService, startService } from '../service/start-service.ts';

let release: PromiseWithResolvers<void>;

async function* halfRows(): AsyncGenerator<string> {
  yield 'half of it';
  throw new Error('the source is gone');
}

@Controller('things')
class ThingsController {
  @Get('slow')
  async slow(): Promise<string> {
    await release.promise;
    return 'slow';
  }

  @Get('half')
  half(@Res() reply: FastifyReply): void {
    void reply.send(Readable.from(halfRows()));
  }

  @Get(':id')
  one(): string {
    return 'one';
  }

  @Post()
  create(@Body() body: unknown): unknown {
    return body;
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

let service: RunningService;
/** A service with a short timeout for incomplete requests. */
let hasty: RunningService;
let lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  const logger = createLogger({
    name: 'things',
    level: 'debug',
    stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const options = { name: 'things', module: ThingsModule, port: 0, bodyBytesMax: 1024, logger };
  [service, hasty] = [await startService(options), await startService({ ...options, requestMsMax: 200 })];
});
afterAll(async () => {
  await Promise.all([service.close(), hasty.close()]);
});
beforeEach(() => {
  lines = [];
  release = Promise.withResolvers();
});

/** Requests in flight, and how many have ended with each status. */
async function counted(of = service): Promise<{ inFlight: number; ended: Record<string, number> }> {
  const text = await of.app.get(Metrics).text();
  const ended: Record<string, number> = {};
  for (const [, status, count] of text.matchAll(/^millrace_http_request_duration_seconds_count\{.*status="(\d+)"\} (\d+)$/gm))
    ended[status!] = (ended[status!] ?? 0) + Number(count);
  return { inFlight: Number(/^millrace_http_requests_in_flight\{[^}]*\} (\d+)$/m.exec(text)![1]), ended };
}

/** A client on a raw socket. */
class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  received = '';

  constructor({ url } = service) {
    this.socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    this.socket.on('data', (chunk: Buffer) => (this.received += chunk.toString()));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** Statuses of the answers, in their order. */
  get statuses(): number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)).filter((status) => status !== 100);
  }
}

interface Case {
  /** What is sent. */
  readonly sent: string;
  /** Number of requests. Default 1. */
  readonly requests?: number;
  /** Statuses that the client reads, in their order. */
  readonly answers: readonly number[];
  /** Statuses that are counted; default: the answers. */
  readonly counted?: readonly number[];
  /** How the client ends, once `inFlight` requests are on their way; default: it waits for its answers. */
  readonly leaves?: { readonly how: 'reset' | 'end'; readonly inFlight: number };
  /** Sent after the first answer. */
  readonly next?: string;
  /** Whether it goes to the service with short timeouts. */
  readonly late?: true;
}

const host = 'Host: 127.0.0.1\r\n';
const json = `${host}Content-Type: application/json\r\n`;
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\n${host}${more}\r\n`;
const cut = `POST /things HTTP/1.1\r\n${json}Content-Length: 1000\r\n\r\n{`;
const chunked = (chunks: string, type = json): string => `POST /things HTTP/1.1\r\n${type}Transfer-Encoding: chunked\r\n\r\n${chunks}`;

const cases: Readonly<Record<string, Case>> = {
  'a request that is answered': { sent: get('/things/1'), answers: [200] },
  'two requests one after the other on a connection': { sent: get('/things/1'), next: get('/things/2'), requests: 2, answers: [200, 200] },
  'a HEAD': { sent: `HEAD /things/1 HTTP/1.1\r\n${host}\r\n`, answers: [200] },
  'an unknown path': { sent: get('/nothing'), answers: [404] },
  'a method that the path does not take': { sent: `DELETE /things/1 HTTP/1.1\r\n${host}\r\n`, answers: [405] },
  'a path that cannot be decoded': { sent: get('/things/%'), answers: [400] },
  'an upgrade that is not taken': { sent: get('/things/1', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), answers: [200] },
  'a CONNECT': { sent: 'CONNECT example:443 HTTP/1.1\r\nHost: example:443\r\n\r\n', answers: [405] },
  'an unknown expectation': { sent: get('/things/1', 'Expect: miracles\r\n'), answers: [200] },
  'a body that was announced': {
    sent: `POST /things HTTP/1.1\r\n${json}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`,
    answers: [201],
  },
  'a Host header that is missing': { sent: 'GET /things/1 HTTP/1.1\r\n\r\n', answers: [400] },
  'a Host header that comes twice': { sent: get('/things/1', 'Host: evil.example\r\n'), answers: [400] },
  'a body with a malformed chunk': { sent: chunked('zz\r\n'), answers: [400] },
  'a malformed chunk after an answer that came early': {
    sent: chunked('', `${host}Content-Type: text/csv\r\n`),
    next: 'zz\r\n',
    answers: [415],
  },
  'a body that is not JSON': { sent: chunked('1\r\n{\r\n0\r\n\r\n'), answers: [400] },
  'a body that is too large by its length': { sent: `POST /things HTTP/1.1\r\n${json}Content-Length: 5000\r\n\r\n`, answers: [413] },
  'a chunked body that is too large': { sent: chunked(`800\r\n${'x'.repeat(2048)}\r\n`), answers: [413] },
  'header fields that are too large': { sent: get('/things/1', `X-Large: ${'x'.repeat(20_000)}\r\n`), answers: [431] },
  'bytes that are not a request': { sent: 'nonsense\r\n\r\n', answers: [400] },
  'a body that does not come in time': { sent: cut, answers: [408], late: true },
  'a head that does not come in time': { sent: 'GET /things/1 HTT', answers: [408], late: true },
  'three requests at once': { sent: get('/things/1') + get('/nothing') + get('/things/3'), requests: 3, answers: [200, 404, 200] },
  'a request and then bytes that are not a request': { sent: `${get('/things/1')}nonsense\r\n\r\n`, requests: 2, answers: [200, 400] },
  'a request and then one with a malformed chunk': { sent: get('/things/1') + chunked('zz\r\n'), requests: 2, answers: [200, 400] },
  'an answer that the service cuts off': { sent: get('/things/half'), answers: [200], counted: [500] },
  'a client that ends in the middle of its body': { sent: cut, answers: [], counted: [499], leaves: { how: 'end', inFlight: 1 } },
  'a client that resets in the middle of its body': { sent: cut, answers: [], counted: [499], leaves: { how: 'reset', inFlight: 1 } },
  'a client that ends in the middle of a chunk': {
    sent: chunked('5\r\nab'),
    answers: [],
    counted: [499],
    leaves: { how: 'end', inFlight: 1 },
  },
  'a client that ends before its answer': { sent: get('/things/slow'), answers: [], counted: [499], leaves: { how: 'end', inFlight: 1 } },
  'a client that resets before its answers, one of which waits for the other': {
    sent: get('/things/slow') + get('/things/1'),
    requests: 2,
    answers: [],
    counted: [499, 499],
    leaves: { how: 'reset', inFlight: 2 },
  },
  'a client that ends in the middle of a head': {
    sent: 'GET /things/1 HTT',
    answers: [],
    counted: [499],
    leaves: { how: 'end', inFlight: 0 },
  },
};

async function send({ sent, answers, next, leaves, late }: Case): Promise<number[]> {
  const client = new RawClient(late ? hasty : service);
  client.socket.write(sent);
  if (leaves !== undefined) {
    await vi.waitUntil(async () => (await counted()).inFlight === leaves.inFlight, { timeout: 10_000 });
    if (leaves.how === 'reset') client.socket.resetAndDestroy();
    else client.socket.end();
  } else {
    if (next !== undefined) {
      await vi.waitUntil(() => client.statuses.length === 1, { timeout: 10_000 });
      client.socket.write(next);
    }
    await vi.waitUntil(() => client.statuses.length >= answers.length, { timeout: 10_000 });
    client.socket.end();
  }
  await client.closed;
  return client.statuses;
}

function ascending(a: number, b: number): number {
  return a - b;
}

function added(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): number[] {
  return Object.entries(after).flatMap(([status, count]) => Array.from({ length: count - (before[status] ?? 0) }, () => Number(status)));
}

it.each(Object.entries(cases))('%s: each request is counted once, and none stays in flight', { timeout: 30_000 }, async (_name, one) => {
  const of = one.late ? hasty : service;
  const before = await counted(of);
  expect(before.inFlight).toBe(0);
  expect(await send(one)).toEqual(one.answers);
  const expected = (one.counted ?? one.answers).toSorted(ascending);
  expect(expected).toHaveLength(one.requests ?? 1);
  await vi.waitFor(async () => {
    const after = await counted(of);
    expect([after.inFlight, added(before.ended, after.ended).toSorted(ascending)]).toEqual([0, expected]);
  });
  const gone = lines.filter(({ msg }) => msg === 'A client disconnected before the answer.');
  expect(gone.map(({ level, status }) => [level, status])).toEqual(expected.filter((status) => status === 499).map(() => ['info', 499]));
  expect(lines.filter(({ msg }) => msg === 'A request ended.')).toHaveLength(expected.length - gone.length);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

it('a connection on which nothing was sent is not a request', async () => {
  const before = await counted(hasty);
  const client = new RawClient(hasty);
  await client.closed;
  expect([client.received, await counted(hasty)]).toEqual(['', before]);
});

it('every faulty request gets a problem document, even where Node would answer or close the connection itself', async () => {
  const faults = [
    'a Host header that is missing',
    'a Host header that comes twice',
    'a CONNECT',
    'bytes that are not a request',
    'header fields that are too large',
    'a body with a malformed chunk',
    'a head that does not come in time',
  ];
  for (const name of faults) {
    const client = new RawClient(cases[name]!.late ? hasty : service);
    client.socket.write(cases[name]!.sent);
    await vi.waitFor(() => expect(client.received).toMatch(/\}$/), { timeout: 10_000 });
    expect([name, client.received]).toEqual([
      name,
      expect.stringMatching(/content-type: application\/problem\+json\r\n[^]*urn:millrace:problem:/) as string,
    ]);
    expect([name, client.received.includes('"errors":[{"field":"Host"')]).toEqual([name, name.startsWith('a Host')]);
    client.socket.destroy();
  }
});

it('the number of counted requests equals the number of sent requests', { timeout: 60_000 }, async () => {
  const before = await counted();
  const together = Object.values(cases).filter(({ leaves, late }) => leaves === undefined && !late);
  await Promise.all(together.map(send));
  const sent = together.reduce((sum, { requests = 1 }) => sum + requests, 0);
  await vi.waitFor(async () => {
    const after = await counted();
    expect([after.inFlight, added(before.ended, after.ended).length]).toEqual([0, sent]);
  });
});
