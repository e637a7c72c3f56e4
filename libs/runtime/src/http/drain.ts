import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../errors.ts';
import type { Lifecycle } from '../service/lifecycle.ts';

/**
 * How the listener behaves once the service ends. While it drains, it serves as before and each connection ends with its answer, so that
 * clients come back elsewhere. Once it stops, new requests on open connections are refused and requests in flight are answered.
 *
 * Node closes only connections that are idle when the listener closes. Without this, one that becomes idle later would hold the stop until
 * its keep-alive time is over.
 */
export function drainOn(fastify: FastifyInstance, { draining, stopping }: Pick<Lifecycle, 'draining' | 'stopping'>): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (stopping.aborted && !request.url.startsWith('/health/'))
      done(new ProblemError('unavailable', { detail: 'The service is stopping.', retryAfterSeconds: 1 }));
    else done();
  });
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (draining.aborted) void reply.header('connection', 'close');
    done(null, payload);
  });
  fastify.addHook('onResponse', (_request, _reply, done) => {
    if (stopping.aborted) setImmediate(() => fastify.server.closeIdleConnections());
    done();
  });
}
