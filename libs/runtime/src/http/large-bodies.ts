import type { FastifyInstance, RequestPayload } from 'fastify';
import { Readable } from 'node:stream';
import { anonymous, principalKey, principalOf } from '../auth/principal.ts';
import { ProblemError } from '../errors.ts';

/** Part of the memory that the bodies of one caller may take, so that there is room for others. */
const callerShareMax = 0.75;

/** Routes that take larger bodies than others. */
export interface LargeBodies {
  /** Returns the largest body of a route in bytes, ≥ 1, by its path pattern. Undefined: the limit of every other route. */
  readonly bytesMaxOf: (path: string) => number | undefined;
  /**
   * Largest number of bytes of these bodies, decoded, that the process holds at once, ≥ 1. A body counts from the arrival of each byte to
   * the end of
   * its answer. Above the limit the service answers 503 `overloaded`. The bodies of one caller may take three quarters of it.
   */
  readonly heldBytesMax: number;
}

/**
 * Raises the limit on the bodies of some routes, and limits the memory of all their bodies together. Call it after `decodeBodies` and
 * before the
 * routes are registered.
 */
export function allowLargeBodies(fastify: FastifyInstance, { bytesMaxOf, heldBytesMax }: LargeBodies): void {
  fastify.addHook('onRoute', (route) => {
    const bytesMax = bytesMaxOf(route.url);
    if (bytesMax !== undefined) route.bodyLimit = bytesMax;
  });
  let heldBytes = 0;
  const heldByCaller = new Map<string, number>();
  const hold = (caller: string, bytes: number): void => {
    const held = (heldByCaller.get(caller) ?? 0) + bytes;
    heldBytes += bytes;
    // A caller that is gone takes no memory.
    if (held === 0) heldByCaller.delete(caller);
    else heldByCaller.set(caller, held);
  };
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    if (bytesMaxOf(request.routeOptions.url ?? '') === undefined) {
      done(null, payload);
      return;
    }
    const caller = principalKey(principalOf(request) ?? anonymous);
    let own = 0;
    reply.raw.once('close', () => hold(caller, -own));
    // Leaving the iteration ends a decoder. It must not end the request, which still gets an answer.
    const chunks = (payload as Readable).iterator({ destroyOnReturn: payload !== request.raw });
    const counted = countedBody(payload, chunks, (bytes) => {
      own += bytes;
      hold(caller, bytes);
      if (heldBytes > heldBytesMax || heldByCaller.get(caller)! > heldBytesMax * callerShareMax) throw full(heldBytesMax);
    });
    done(null, counted);
  });
}

function countedBody(payload: RequestPayload, chunks: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): RequestPayload {
  async function* count(): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      onBytes(chunk.length);
      // Fastify compares it with the Content-Length. A decoder in front has counted the encoded bytes.
      output.receivedEncodedLength = payload.receivedEncodedLength ?? bytes;
      yield chunk;
    }
  }
  const output: RequestPayload = Readable.from(count(), { objectMode: false });
  return output;
}

function full(heldBytesMax: number): ProblemError {
  return new ProblemError('overloaded', {
    detail: `The bodies of batches in memory reach the limit of the service, ${heldBytesMax} bytes, or the share of one caller. Send the request again later.`,
    retryAfterSeconds: 1,
    headers: { connection: 'close' },
  });
}
