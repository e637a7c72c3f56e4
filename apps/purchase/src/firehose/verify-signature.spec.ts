import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { NodeSha256 } from './node-sha256.ts';
import { verifySignature, type SignedRequest } from './verify-signature.ts';

const accessKeyId = 'AKIDEXAMPLE';
const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const keys = new Map([[accessKeyId, secretAccessKey]]);
const nowMs = Date.parse('2026-11-29T12:00:00Z');

interface Given {
  readonly key?: string;
  readonly secret?: string;
  readonly atMs?: number;
}

/** A request as the AWS SDK signs it. The integration test signs with both versions of the SDK. */
async function signed({ key = accessKeyId, secret = secretAccessKey, atMs = nowMs }: Given = {}): Promise<SignedRequest> {
  const signer = new SignatureV4({
    service: 'firehose',
    region: 'eu-west-1',
    credentials: { accessKeyId: key, secretAccessKey: secret },
    sha256: NodeSha256,
  });
  const body = Buffer.from('{"DeliveryStreamName":"books-purchase-stream"}');
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: '/',
      headers: { host: '127.0.0.1:3001', 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Firehose_20150804.PutRecord' },
      body,
    },
    { signingDate: new Date(atMs) },
  );
  return { headers, body };
}

describe('verifySignature', () => {
  it('verifySignature accepts a request with the signature of a known key', async () => {
    await expect(verifySignature(await signed(), keys, nowMs)).resolves.toBeUndefined();
  });

  it.each([
    ['another body', (request: SignedRequest) => ({ ...request, body: Buffer.from('{"other":1}') }), 'InvalidSignatureException'],
    [
      'another body with its hash left as it was',
      (request: SignedRequest) => ({
        headers: { ...request.headers, 'x-amz-content-sha256': createHash('sha256').update(request.body).digest('hex') },
        body: Buffer.from('{"other":1}'),
      }),
      'InvalidSignatureException',
    ],
    [
      'another operation',
      ({ headers, body }: SignedRequest) => ({ headers: { ...headers, 'x-amz-target': 'Firehose_20150804.PutRecordBatch' }, body }),
      'InvalidSignatureException',
    ],
    [
      'another host',
      ({ headers, body }: SignedRequest) => ({ headers: { ...headers, host: 'elsewhere' }, body }),
      'InvalidSignatureException',
    ],
    [
      'a signature that does not cover the operation',
      ({ headers, body }: SignedRequest) => ({
        headers: { ...headers, authorization: headers.authorization!.replace(';x-amz-target', '') },
        body,
      }),
      'IncompleteSignatureException',
    ],
    [
      'a signature for another service',
      ({ headers, body }: SignedRequest) => ({
        headers: { ...headers, authorization: headers.authorization!.replace('/firehose/', '/kinesis/') },
        body,
      }),
      'IncompleteSignatureException',
    ],
    [
      'no signature',
      ({ headers: { authorization: _authorization, ...headers }, body }: SignedRequest) => ({ headers, body }),
      'MissingAuthenticationTokenException',
    ],
    [
      'no date',
      ({ headers: { 'x-amz-date': _date, ...headers }, body }: SignedRequest) => ({ headers, body }),
      'IncompleteSignatureException',
    ],
  ])('verifySignature refuses a request with %s', async (_what, change, code) => {
    await expect(verifySignature(change(await signed()), keys, nowMs)).rejects.toMatchObject({ code, status: 403 });
  });

  it('verifySignature refuses an unknown key and a wrong secret', async () => {
    await expect(verifySignature(await signed({ key: 'OTHER' }), keys, nowMs)).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
    });
    await expect(verifySignature(await signed({ secret: 'x'.repeat(40) }), keys, nowMs)).rejects.toMatchObject({
      code: 'InvalidSignatureException',
    });
  });

  it.each([-300, 300])('verifySignature accepts a clock that differs by %i s, and none that differs by a second more', async (seconds) => {
    await expect(verifySignature(await signed({ atMs: nowMs + seconds * 1000 }), keys, nowMs)).resolves.toBeUndefined();
    const late = await signed({ atMs: nowMs + (seconds + Math.sign(seconds)) * 1000 });
    await expect(verifySignature(late, keys, nowMs)).rejects.toMatchObject({ code: 'InvalidSignatureException' });
  });
});
