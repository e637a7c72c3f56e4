import { purchases } from '@millrace/contracts';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { GlueCatalog, glueClient } from './glue-catalog.ts';
import { s3Client, S3ObjectStore } from './s3-object-store.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers as configured. It resolves when the first connection with a request has closed. */
async function silent(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly server: Server; readonly endpoint: string; readonly gone: Promise<void> }> {
  const gone = Promise.withResolvers<void>();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    request.socket.once('close', () => gone.resolve());
    answer(request, response);
  };
  // A request with `Expect: 100-continue` gets no answer either.
  const server = createServer(serve).on('checkContinue', serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => void server.close());
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gone: gone.promise };
}

const unlimited = { idleTimeoutMs: 0 };

/** An S3 that never gives up by itself. */
function storeAt(endpoint: string): S3ObjectStore {
  const client = s3Client(unlimited, { endpoint });
  closing.push(() => client.destroy());
  return new S3ObjectStore(client, 'b');
}

describe('an AWS client without its own timeout', () => {
  const tooLate = new Error('the attempt took too long');

  it.each([
    ['GET', async (endpoint: string, signal: AbortSignal) => await storeAt(endpoint).get('k', { signal })],
    ['a small PUT', async (endpoint: string, signal: AbortSignal) => await storeAt(endpoint).put('k', Buffer.from('x'), { signal })],
    [
      'a PUT of some megabytes',
      async (endpoint: string, signal: AbortSignal) => await storeAt(endpoint).put('k', Buffer.alloc(8 * 1024 * 1024), { signal }),
    ],
    [
      'a page of Glue',
      async (endpoint: string, signal: AbortSignal) => {
        const client = glueClient(unlimited, { endpoint });
        closing.push(() => client.destroy());
        return await new GlueCatalog(client, purchases, 'b').partitions({ signal });
      },
    ],
  ])('the signal ends an unanswered call (%s) and its connection', async (_what, ask) => {
    const asked = Promise.withResolvers<void>();
    const { endpoint, gone } = await silent(() => asked.resolve());
    const attempt = new AbortController();
    const call = ask(endpoint, attempt.signal);
    await asked.promise;
    attempt.abort(tooLate);
    await expect(call).rejects.toBe(tooLate);
    await gone;
  });

  it('the signal ends an answer that stops halfway', async () => {
    const begun = Promise.withResolvers<void>();
    const { endpoint, gone } = await silent((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half of it', () => begun.resolve());
    });
    const attempt = new AbortController();
    const call = storeAt(endpoint).get('k', { signal: attempt.signal });
    await begun.promise;
    attempt.abort(tooLate);
    await expect(call).rejects.toBe(tooLate);
    await gone;
  });
});
