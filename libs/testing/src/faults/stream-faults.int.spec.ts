import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';

let echo: Server;
let proxy: FaultProxy;
let heard: string;
const opened = new Set<Socket>();

beforeEach(async () => {
  heard = '';
  echo = createServer((socket) => {
    opened.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += data.toString();
      socket.write(data);
    });
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start({ protocol: 'tcp', target: `redis://127.0.0.1:${(echo.address() as AddressInfo).port}` });
});

afterEach(async () => {
  for (const socket of opened) socket.destroy();
  opened.clear();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  opened.add(socket);
  await once(socket, 'connect');
  return socket;
}

async function say(socket: Socket, text: string): Promise<string> {
  const answer = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(text);
  const [data] = await answer;
  return data.toString();
}

describe('a fault proxy for a byte stream', () => {
  it('a proxy without faults changes nothing', async () => {
    const socket = await open();
    expect(await say(socket, 'PING')).toBe('PING');
    expect(await say(socket, 'PONG')).toBe('PONG');
    expect(proxy.counts).toEqual({ seen: 2, inFlight: 0, hits: {} });
    socket.end();
    await once(socket, 'close');
  });

  it('the fault refuse drops open connections and rejects new ones until it is cleared', async () => {
    const socket = await open();
    await say(socket, 'PING');
    const broken = once(socket, 'error');
    await proxy.inject({ kind: 'refuse' });
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }]);
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.clear();
    expect(await say(await open(), 'PING')).toBe('PING');
  });

  it('the fault black-hole holds the bytes until it is cleared', async () => {
    const socket = await open();
    await say(socket, 'one ');
    const fault = await proxy.inject({ kind: 'black-hole' });
    const answer = once(socket, 'data') as Promise<[Buffer]>;
    socket.write('two ');
    await fault.hit();
    expect(heard).toBe('one ');
    expect(proxy.counts.inFlight).toBe(1);
    await fault.clear();
    expect((await answer)[0].toString()).toBe('two ');
    expect(heard).toBe('one two ');
  });

  it('the fault black-hole delivers nothing after the client has left', async () => {
    const socket = await open();
    const fault = await proxy.inject({ kind: 'black-hole' });
    socket.write('never');
    await fault.hit();
    socket.destroy();
    await fault.done();
    await fault.clear();
    await say(await open(), 'later');
    expect(heard).toBe('later');
  });

  it('the fault reset closes a connection before the written bytes are delivered', async () => {
    const socket = await open();
    await proxy.inject({ kind: 'reset' }, { times: 1 });
    const broken = once(socket, 'error');
    socket.write('lost');
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(heard).toBe('');
    expect(await say(await open(), 'kept')).toBe('kept');
  });

  it('the fault slow delays the answer', async () => {
    const socket = await open();
    await proxy.inject({ kind: 'slow', latencyMs: 80 });
    const before = performance.now();
    expect(await say(socket, 'PING')).toBe('PING');
    // Only the lower bound; a timer may be early by a millisecond.
    expect(performance.now() - before).toBeGreaterThan(75);
  });
});
