import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AccessKeys } from './access-keys.ts';
import { FirehoseError } from './firehose-error.ts';
import { NodeSha256 } from './node-sha256.ts';

/** Largest difference between the clocks of client and service, in milliseconds. */
const skewMsMax = 5 * 60_000;

/** Headers that a signature must cover. Otherwise somebody on the way could change the operation or the target. */
const coveredHeaders = ['host', 'x-amz-date', 'x-amz-target'];

/** A signed request. */
export interface SignedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Authorization {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: Buffer;
}

const authorizationPattern =
  /^AWS4-HMAC-SHA256 +Credential=(\w{1,128})\/(\d{8})\/([\w-]{1,64})\/firehose\/aws4_request, *SignedHeaders=([\w;-]{1,4096}), *Signature=([0-9a-f]{64})$/;

/**
 * Checks the AWS Signature Version 4 of a `POST /`.
 *
 * @param nowMs time of the service in epoch milliseconds
 * @throws FirehoseError when the signature is missing, wrong, too old or of an unknown key
 */
export async function verifySignature({ headers, body }: SignedRequest, keys: AccessKeys, nowMs: number): Promise<void> {
  const { accessKeyId, day, region, signedHeaders, signature } = readAuthorization(headers.authorization);
  const signedAt = readDate(headers['x-amz-date']);
  if (!coveredHeaders.every((name) => signedHeaders.includes(name)))
    throw new FirehoseError('IncompleteSignatureException', `The signature must cover the headers ${coveredHeaders.join(', ')}.`);
  if (Math.abs(signedAt.getTime() - nowMs) > skewMsMax || dayOf(signedAt) !== day)
    throw new FirehoseError(
      'InvalidSignatureException',
      'Signature expired: the date of the request is more than 5 minutes from the time here.',
    );
  // The signer believes this header instead of hashing the body.
  const declared = headers['x-amz-content-sha256'];
  if (declared !== undefined && declared !== createHash('sha256').update(body).digest('hex'))
    throw new FirehoseError('InvalidSignatureException', 'x-amz-content-sha256 is not the hash of the body.');

  const secret = keys.get(accessKeyId);
  // An unknown key costs the same time as a known one.
  const signer = new SignatureV4({
    service: 'firehose',
    region,
    credentials: { accessKeyId, secretAccessKey: secret ?? 'unknown' },
    sha256: NodeSha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: 'http:',
      hostname: headers.host ?? '',
      path: '/',
      headers: Object.fromEntries(signedHeaders.map((name) => [name, textOf(headers[name])])),
      body,
    },
    { signingDate: signedAt, signableHeaders: new Set(signedHeaders) },
  );
  const expected = Buffer.from(/Signature=([0-9a-f]{64})$/.exec(signed.headers['authorization']!)![1]!, 'hex');
  const isRight = timingSafeEqual(expected, signature);
  if (secret === undefined) throw new FirehoseError('UnrecognizedClientException', 'The access key is not known here.');
  if (!isRight)
    throw new FirehoseError(
      'InvalidSignatureException',
      'The signature does not match: check the secret access key and the signing method.',
    );
}

function readAuthorization(header: string | undefined): Authorization {
  if (header === undefined)
    throw new FirehoseError('MissingAuthenticationTokenException', 'The request is not signed: sign it with AWS Signature Version 4.');
  const match = authorizationPattern.exec(header);
  if (match === null)
    throw new FirehoseError(
      'IncompleteSignatureException',
      'The Authorization header is not an AWS Signature Version 4 for the service firehose.',
    );
  const [, accessKeyId, day, region, signedHeaders, signature] = match as unknown as readonly string[];
  return {
    accessKeyId: accessKeyId!,
    day: day!,
    region: region!,
    signedHeaders: signedHeaders!.split(';'),
    signature: Buffer.from(signature!, 'hex'),
  };
}

function readDate(header: string | string[] | undefined): Date {
  const match = typeof header === 'string' ? /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(header) : null;
  const date = match === null ? undefined : new Date(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  if (date === undefined || Number.isNaN(date.getTime()))
    throw new FirehoseError('IncompleteSignatureException', 'X-Amz-Date must read YYYYMMDDTHHMMSSZ.');
  return date;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}

function textOf(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}
