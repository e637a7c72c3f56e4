import { type Metrics, principalKey, principalOf, ProblemError } from '@millrace/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { OpenRequests } from './open-requests.ts';
import { RateLimit } from './rate-limit.ts';

/** Limits of one caller. */
export interface CallerLimits {
  /** Events in a second; undefined: no limit. */
  readonly eventsPerSecond: number | undefined;
  /** Requests at a time; undefined: no limit. Without authentication everybody is one caller, so leave it out. */
  readonly requestsMax: number | undefined;
}

/** Paths of the service's operators and of its documents. */
const unlimitedPaths = /^\/(health\/|metrics$|hystrix\.stream$|admin\/|docs$|openapi\.json$)/;

/**
 * Answers 429 to callers above their limits, before the body of a request is read. Call it after authentication is set up. A batch counts
 * as many events
 * as its body has items, once it is read.
 */
export function limitCallers(fastify: FastifyInstance, { eventsPerSecond, requestsMax }: CallerLimits, metrics: Metrics): void {
  const limited = metrics.counter({
    name: 'millrace_purchase_requests_limited_total',
    help: 'Requests that were answered 429 because their caller was above a limit, by limit.',
    labelNames: ['limit'],
  });
  if (requestsMax !== undefined) {
    const openRequests = new OpenRequests(requestsMax);
    fastify.addHook('onRequest', (request, reply, done) => {
      const caller = callerOf(request);
      if (caller === undefined) {
        done();
        return;
      }
      if (!openRequests.tryOpen(caller)) {
        limited.inc({ limit: 'requests' });
        done(tooMany(`A caller may have ${requestsMax} requests at a time. Wait for answers, or send batches.`, 1));
        return;
      }
      reply.raw.once('close', () => openRequests.close(caller));
      done();
    });
  }
  if (eventsPerSecond === undefined) return;
  const rate = new RateLimit(eventsPerSecond);
  fastify.addHook('onRequest', async (request) => {
    const caller = callerOf(request);
    const retryAfterSeconds = caller === undefined ? undefined : await rate.take(caller);
    if (retryAfterSeconds === undefined) return;
    limited.inc({ limit: 'events' });
    throw tooMany(`A caller may send ${eventsPerSecond} events a second. Send the request again later.`, retryAfterSeconds);
  });
  fastify.addHook('preHandler', async (request) => {
    const { body } = request;
    const caller = Array.isArray(body) && body.length > 1 ? callerOf(request) : undefined;
    if (caller !== undefined) await rate.charge(caller, (body as unknown[]).length - 1);
  });
}

/** Returns the caller to limit. Undefined for operators, and for a route that checks its credentials after the body is read. */
function callerOf(request: FastifyRequest): string | undefined {
  const principal = principalOf(request);
  return principal === undefined || unlimitedPaths.test(request.routeOptions.url ?? '') ? undefined : principalKey(principal);
}

function tooMany(detail: string, retryAfterSeconds: number): ProblemError {
  return new ProblemError('too-many-requests', { detail, retryAfterSeconds });
}
