import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { HystrixStream } from './hystrix-stream.ts';

const textOf = (client: Readable): string => {
  const chunk = client.read() as Buffer | null;
  return chunk === null ? '' : chunk.toString();
};

describe('HystrixStream', () => {
  it('the stream sends one data line per command at once and at every tick', () => {
    let tick = 0;
    const stream = new HystrixStream({
      commands: () => [
        { name: 'kafka', tick: ++tick },
        { name: 's3', tick },
      ],
    });
    const client = stream.connect();
    expect(textOf(client)).toBe('data: {"name":"kafka","tick":1}\n\ndata: {"name":"s3","tick":1}\n\n');
    stream.tick();
    expect(textOf(client)).toBe('data: {"name":"kafka","tick":2}\n\ndata: {"name":"s3","tick":2}\n\n');
    stream.close();
  });

  it('the stream pings without commands, so that proxies keep the connection', () => {
    const stream = new HystrixStream({ commands: () => [] });
    expect(textOf(stream.connect())).toBe('ping: \n\n');
    stream.close();
  });

  it('the stream reads the commands once per tick for any number of clients', () => {
    let looks = 0;
    const stream = new HystrixStream({ commands: () => [{ looks: ++looks }] });
    stream.connect();
    stream.connect();
    looks = 0;
    stream.tick();
    expect(looks).toBe(1);
    stream.close();
  });

  it('the stream rejects clients above the limit until one leaves', async () => {
    const stream = new HystrixStream({ commands: () => [], clientsMax: 1 });
    const first = stream.connect();
    expect(() => stream.connect()).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error);
    first.destroy();
    await once(first, 'close');
    expect(stream.clients).toBe(0);
    stream.connect();
    expect(stream.clients).toBe(1);
    stream.close();
  });

  it('a client that does not read misses ticks, so its memory is bounded', () => {
    const stream = new HystrixStream({ commands: () => [{ name: 'kafka' }], unreadBytesMax: 60 });
    const client = stream.connect();
    for (let tick = 0; tick < 1000; tick += 1) stream.tick();
    expect(client.readableLength).toBeLessThan(100);
    stream.close();
  });

  it('a closed stream ends every client and rejects new ones', async () => {
    const stream = new HystrixStream({ commands: () => [] });
    const client = stream.connect();
    client.resume();
    stream.close();
    await once(client, 'end');
    expect(() => stream.connect()).toThrow(expect.objectContaining({ code: 'unavailable' }) as Error);
  });
});
