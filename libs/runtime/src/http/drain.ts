import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../errors.ts';

/**
 * How the listener behaves once the service stops: new requests on open connections are refused, requests in flight are answered, and each
 * connection ends with its answer. Node closes only connections that are idle when the listener closes; without this, one that
 * becomes idle later would hold the stop until its keep-alive time is over.
 */
export function drainOn(fastify: FastifyInstance, stopping: AbortSignal): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (stopping.aborted && !request.url.startsWith('/health/')) done(new ProblemError('unavailable', { detail: 'The service is stopping.', retryAfterSeconds: 1 }));
    else done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping.aborted) void reply.header('connection', 'close');
    done(null, payload);
  });
  fastify.addHook('onResponse', (_request, _reply, done) => {
    if (stopping.aborted) setImmediate(() => fastify.server.closeIdleConnections());
    done();
  });
}
