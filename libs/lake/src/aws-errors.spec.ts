import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { awsErrorToLakeError, throttlingOf } from './aws-errors.ts';
import { classOfLakeError, remedyOfLakeError } from './errors.ts';

const named = (name: string, more: object = {}): Error => Object.assign(new Error('x'), { name, ...more });

describe('throttling', () => {
  it.each(['SlowDown', 'ThrottlingException', 'TooManyRequestsException', 'RequestLimitExceeded'])('%s is throttling', (name) => {
    expect(awsErrorToLakeError(named(name), 'GET')).toMatchObject({ code: 'unavailable', throttled: true, retryAfterMs: undefined });
  });

  it("throttling is also recognized by status 429 and the SDK's flag, and by nothing else", () => {
    expect(throttlingOf(named('x', { $metadata: { httpStatusCode: 429 } })).throttled).toBe(true);
    expect(throttlingOf(named('x', { $retryable: { throttling: true } })).throttled).toBe(true);
    expect(throttlingOf(named('InternalError', { $metadata: { httpStatusCode: 503 } }))).toEqual({
      throttled: false,
      retryAfterMs: undefined,
    });
    expect(throttlingOf('x').throttled).toBe(false);
    expect(awsErrorToLakeError(named('AccessDenied', { $response: { headers: { 'retry-after': '1' } } }), 'GET')).toMatchObject({
      code: 'denied',
      throttled: false,
      retryAfterMs: undefined,
    });
  });
});

it('Retry-After is parsed as seconds or as a date', () => {
  const headers = ['2', 'Thu, 01 Jan 2026 00:00:05 GMT', 'Wed, 31 Dec 2025 00:00:00 GMT', 'soon'];
  const told = headers.map(
    (header) => throttlingOf(named('SlowDown', { $response: { headers: { 'retry-after': header } } }), Date.UTC(2026, 0, 1)).retryAfterMs,
  );
  expect(told).toEqual([2000, 5000, 0, undefined]);
});

describe('failures that an operator must fix', () => {
  it.each([
    ['AccessDenied', 'denied', /credentials/],
    ['CredentialsProviderError', 'denied', /credentials/],
    ['NoSuchBucket', 'misconfigured', /LAKE_BUCKET/],
    ['AuthorizationHeaderMalformed', 'misconfigured', /region/],
  ])('%s is retryable, does not count against the breaker, and has a remedy', (name, code, remedy) => {
    const error = awsErrorToLakeError(named(name), 'S3 get');
    expect(error).toMatchObject({ code, retryable: true, message: `S3 get failed: ${name}: x` });
    expect(classOfLakeError(error)).toBe('invalid');
    expect(remedyOfLakeError(error)).toMatch(remedy);
  });

  it('an untrusted certificate is a misconfiguration', () => {
    expect(awsErrorToLakeError(named('Error', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'S3 get')).toMatchObject({ code: 'misconfigured' });
  });

  it('an outage and a missing key have no remedy', () => {
    for (const name of ['InternalError', 'NoSuchKey'])
      expect(remedyOfLakeError(awsErrorToLakeError(named(name), 'S3 get'))).toBeUndefined();
  });
});

describe('answers of S3', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  it.each([
    [{ 'retry-after': '7' }, { throttled: true, retryAfterMs: 7000 }],
    [{}, { throttled: false, retryAfterMs: undefined }],
  ])('a 503 with the headers %j is classified by Retry-After', async (headers, expected) => {
    server = createServer((_request, response) => response.writeHead(503, headers).end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server!.once('listening', resolve));
    const client = new S3Client({
      maxAttempts: 1,
      region: 'us-east-1',
      forcePathStyle: true,
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const error: unknown = await client.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })).catch((caught: unknown) => caught);
    expect(awsErrorToLakeError(error, 'GET')).toMatchObject({ code: 'unavailable', ...expected });
    client.destroy();
  });
});
