import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../logging/create-logger.ts';
import { PipelineRegistry } from '../pipelines/pipeline-registry.ts';
import { addJwksPipeline, jwksSpec, jwksThrough } from './jwks-pipeline.ts';

let issuer: Server | undefined;
afterEach(() => void issuer?.close());

interface Fetched {
  readonly error: unknown;
  readonly requests: number;
  /** How the pipeline judged the first attempt. */
  readonly errorClass: string | undefined;
}

/** Fetches once from an issuer that gives this answer to every request. */
async function fetched(status: number, headers: OutgoingHttpHeaders = {}): Promise<Fetched> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(status, { connection: 'close', ...headers }).end();
  });
  issuer = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry = new PipelineRegistry();
  addJwksPipeline(
    { ...jwksSpec, retry: { ...jwksSpec.retry, waitMsMax: 1 } },
    { registry, logger: createLogger({ name: 'sink', level: 'silent' }), load: { eventLoopDelayMs: () => 0, heapUsedRatio: () => 0 } },
  );
  let errorClass: string | undefined;
  registry.get('jwks').events.on('AttemptFinished', (attempt) => (errorClass ??= attempt.errorClass));
  const error = await jwksThrough(registry, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`).catch(
    (thrown: unknown) => thrown,
  );
  return { error, requests, errorClass };
}

describe('the pipeline jwks', () => {
  it.each([429, 503])('the fetch is not repeated within the Retry-After of a %i', async (status) => {
    expect(await fetched(status, { 'retry-after': '15' })).toMatchObject({
      requests: 1,
      errorClass: 'throttled',
      error: { code: 'jwks-unavailable', retryAfterMs: 15_000 },
    });
  });

  it.each([
    [429, 'throttled'],
    [503, 'transient'],
    [500, 'transient'],
  ])('the fetch is repeated after %i without Retry-After, as %s', async (status, errorClass) => {
    expect(await fetched(status)).toMatchObject({ requests: 2, errorClass });
  });

  it('the fetch is not repeated after 404', async () => {
    expect(await fetched(404)).toMatchObject({ requests: 1, errorClass: 'permanent' });
  });
});
