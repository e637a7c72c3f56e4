import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { clientErrorAnswerer, refuseConnect } from './client-errors.ts';
import { pathOf, sendProblem } from './problem-filter.ts';
import { type ProblemLimits, problemOfError } from './problem-of-error.ts';
import type { RequestTally } from './request-tally.ts';

/** Largest number of connections one listener keeps open. Node closes further connections at once. */
const connectionsMax = 4096;
/** Maximum interval between two checks for late requests, in milliseconds. */
const lateLookMsMax = 5000;

/** Limits of a listener. */
export interface HttpLimits extends ProblemLimits {
  /** Time in which a request must be complete, head and body, in milliseconds. */
  readonly requestMsMax: number;
}

/**
 * Makes Fastify for Nest. Errors below routing, such as a malformed URL, become problem documents, too. JSON is the only kind of body until
 * the app registers another parser.
 */
export function httpAdapter(limits: HttpLimits, requests: RequestTally): FastifyAdapter {
  const { requestMsMax } = limits;
  const adapter = new FastifyAdapter({
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: requestMsMax,
    // A missing Host header is refused by our own hook, with a problem document.
    http: { requireHostHeader: false, headersTimeout: requestMsMax, connectionsCheckingInterval: Math.min(requestMsMax, lateLookMsMax) },
    // Refused by our own hook while the service drains, as a problem document.
    return503OnClosing: false,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      void sendProblem(reply, problemOfError(error, pathOf(request.url), limits));
    },
    clientErrorHandler: clientErrorAnswerer(requests, limits),
  });
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  refuseConnect(fastify.server, requests);
  fastify.server.maxConnections = connectionsMax;
  return adapter;
}
