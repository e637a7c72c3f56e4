import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify';
import { Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { ProblemError } from '../errors.ts';
import type { ProblemLimits } from './problem-of-error.ts';

/**
 * Largest window of a zstd body as a power of two: 8 MiB, which RFC 9659 lets every sender rely on. A larger one would cost memory before
 * the first byte.
 */
const zstdWindowLogMax = 23;

const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['zstd', () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax } })],
]);

/** Content codings that are decoded, for `Accept-Encoding`. */
const accepted = 'gzip, deflate, zstd';

/**
 * Decodes compressed bodies before they are parsed. The limit on a body holds for the bytes sent and for the bytes decoded: decoding stops
 * where it is exceeded. An unknown coding, or more than one, is answered 415 with `Accept-Encoding` (RFC 9110, section 15.5.16).
 */
export function decodeBodies(fastify: FastifyInstance): void {
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const coding = codingOf(request);
    if (coding === undefined) {
      done(null, payload);
      return;
    }
    const decoder = decoders.get(coding);
    if (decoder === undefined) done(unsupported(coding));
    else done(null, decodedBody(payload, decoder(), coding, { bodyBytesMax: request.routeOptions.bodyLimit }));
  });
}

function codingOf(request: FastifyRequest): string | undefined {
  const coding = request.headers['content-encoding']?.trim().toLowerCase();
  const { 'content-length': length = '0', 'transfer-encoding': transfer } = request.headers;
  const hasBody = transfer !== undefined || length !== '0';
  return coding === undefined || coding === '' || coding === 'identity' || !hasBody ? undefined : coding;
}

/** The decoded body. Over a limit it fails with a problem and the decoder is destroyed, so that a bomb costs no more than the limit. */
export function decodedBody(payload: RequestPayload, decoder: Transform, coding: string, limits: ProblemLimits): RequestPayload {
  const output: RequestPayload = Readable.from(limited(decoder, coding, limits), { objectMode: false });
  let encodedBytes = 0;
  payload.on('data', (chunk: Buffer) => {
    encodedBytes += chunk.length;
    // Fastify compares it with the Content-Length.
    output.receivedEncodedLength = encodedBytes;
    // A compressed stream may be endless and decode to nothing.
    if (encodedBytes > limits.bodyBytesMax) decoder.destroy(tooLarge(limits));
  });
  payload.once('error', (error: Error) => decoder.destroy(error));
  payload.pipe(decoder);
  return output;
}

/** Leaving the loop destroys the decoder, which ends its work. */
async function* limited(decoder: Transform, coding: string, limits: ProblemLimits): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.bodyBytesMax) throw tooLarge(limits);
      yield chunk;
    }
  } catch (error) {
    throw isDecodingError(error) ? undecodable(coding, error) : error;
  }
}

function isDecodingError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_') || code.startsWith('ZSTD_');
}

function unsupported(coding: string): ProblemError {
  const message = `must be one of ${accepted}, or left out`;
  return new ProblemError('unsupported-media-type', {
    detail: `The content coding ${coding.slice(0, 64)} is not supported. Send the body uncompressed, or compressed by one of ${accepted}.`,
    errors: [{ field: 'Content-Encoding', message }],
    headers: { 'accept-encoding': accepted, connection: 'close' },
  });
}

function undecodable(coding: string, cause: unknown): ProblemError {
  const message = `is ${coding}, and the body cannot be decoded as such`;
  return new ProblemError('validation', {
    detail: `Content-Encoding ${message}.`,
    errors: [{ field: 'Content-Encoding', message }],
    headers: { connection: 'close' },
    cause,
  });
}

function tooLarge({ bodyBytesMax }: ProblemLimits): ProblemError {
  return new ProblemError('body-too-large', {
    detail: `The body may have at most ${bodyBytesMax} bytes, compressed and decoded.`,
    headers: { connection: 'close' },
  });
}
