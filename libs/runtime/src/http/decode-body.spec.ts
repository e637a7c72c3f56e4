import { Body, Controller, Module, Post } from '@nestjs/common';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { createGunzip, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { type RunningService, startService } from '../service/start-service.ts';
import { decodedBody } from './decode-body.ts';

@Controller('things')
class ThingsController {
  @Post()
  create(@Body() body: unknown): unknown {
    return { got: body };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const bodyBytesMax = 10_000;
let service: RunningService;
beforeAll(async () => {
  service = await startService({
    name: 'things',
    module: ThingsModule,
    port: 0,
    bodyBytesMax,
    logger: createLogger({ name: 'things', level: 'silent' }),
  });
});
afterAll(async () => {
  await service.close();
});

async function post(
  body: Uint8Array | ReadableStream,
  coding: string,
  path = '/things',
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(service.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': coding },
    body,
    duplex: 'half',
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const value = { title: 'Orlando ∞', list: [1, 2, 3] };
const text = JSON.stringify(value);
/** JSON of the given size that compresses well. */
const jsonOf = (bytes: number): string => `"${'a'.repeat(bytes - 2)}"`;

describe('a compressed body', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['identity', Buffer.from(text)],
    ['gzip', Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))])],
  ])('a body with the coding %s is decoded and parsed', async (coding, bytes) => {
    expect(await post(bytes, coding)).toMatchObject({ status: 201, body: { got: value } });
  });

  it('a compressed body that arrives in chunks is decoded', async () => {
    const bytes = gzipSync(text);
    const chunks = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect(await post(chunks, 'gzip')).toMatchObject({ status: 201, body: { got: value } });
  });

  it('a body is accepted up to the limit on decoded bytes and refused above it', async () => {
    expect((await post(gzipSync(jsonOf(bodyBytesMax)), 'gzip')).status).toBe(201);
    expect(await post(gzipSync(jsonOf(bodyBytesMax + 1)), 'gzip')).toMatchObject({
      status: 413,
      body: { type: 'urn:millrace:problem:body-too-large', detail: 'The body may have at most 10000 bytes, compressed and decoded.' },
    });
  });

  it.each([
    ['gzip', gzipSync(jsonOf(8_000_000))],
    ['deflate', deflateSync(jsonOf(8_000_000))],
    ['zstd', zstdCompressSync(jsonOf(8_000_000))],
  ])('a decompression bomb with the coding %s is refused', async (coding, bomb) => {
    expect(bomb.byteLength).toBeLessThan(bodyBytesMax);
    expect((await post(bomb, coding)).status).toBe(413);
  });

  it('the decoder of a decompression bomb stops at the limit', async () => {
    const decoder = createGunzip();
    let bytes = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of decodedBody(Readable.from([gzipSync(jsonOf(8_000_000))]), decoder, 'gzip', { bodyBytesMax: 100_000 }))
        bytes += (chunk as Buffer).length;
    };
    await expect(read()).rejects.toMatchObject({ code: 'body-too-large' });
    expect([bytes <= 100_000, decoder.destroyed]).toEqual([true, true]);
  });

  it('a compressed body that decodes to nothing is refused at the limit on sent bytes', async () => {
    // Empty members of gzip.
    const endless = Buffer.concat(Array.from({ length: 2000 }, () => gzipSync('')));
    expect(gunzipSync(endless)).toHaveLength(0);
    const chunks = new ReadableStream({
      start(controller) {
        for (let at = 0; at < endless.length; at += 1000) controller.enqueue(new Uint8Array(endless.subarray(at, at + 1000)));
        controller.close();
      },
    });
    expect((await post(chunks, 'gzip')).status).toBe(413);
  });

  it.each([
    ['gzip', Buffer.from(text)],
    ['deflate', Buffer.from(text)],
    ['zstd', Buffer.from(text)],
    ['gzip', gzipSync(text).subarray(0, 20)],
    ['zstd', zstdCompressSync(text).subarray(0, 20)],
  ])('a body that is not valid %s gets 400, and the problem names the header', async (coding, bytes) => {
    const answer = await post(bytes, coding);
    expect(answer).toMatchObject({
      status: 400,
      body: { type: 'urn:millrace:problem:validation', errors: [{ field: 'Content-Encoding' }] },
    });
  });

  it.each(['br', 'compress', 'gzip, gzip', 'nonsense'])(
    'the coding %s gets 415, and the answer lists the accepted codings',
    async (coding) => {
      const answer = await post(gzipSync(text), coding);
      expect(answer).toMatchObject({
        status: 415,
        body: { type: 'urn:millrace:problem:unsupported-media-type', errors: [{ field: 'Content-Encoding' }] },
      });
      expect(answer.headers.get('accept-encoding')).toBe('gzip, deflate, zstd');
    },
  );

  it('a compressed body that is not JSON gets the same problem as an uncompressed one', async () => {
    expect(await post(gzipSync('{"a":'), 'gzip')).toMatchObject({ status: 400, body: { type: 'urn:millrace:problem:invalid-json' } });
  });

  it('a compressed body for an unknown path gets 404, and a GET without body may name a coding', async () => {
    expect((await post(gzipSync(text), 'gzip', '/nothing')).status).toBe(404);
    expect((await fetch(`${service.url}/health/live`, { headers: { 'content-encoding': 'br' } })).status).toBe(200);
  });

  it('a client that disconnects within a compressed body does not disturb other requests', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const head =
      'POST /things HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 500\r\n\r\n';
    await new Promise<void>(
      (resolve) => void socket.write(Buffer.concat([Buffer.from(head), gzipSync(text).subarray(0, 10)]), () => resolve()),
    );
    socket.destroy();
    expect((await post(gzipSync(text), 'gzip')).status).toBe(201);
  });
});
