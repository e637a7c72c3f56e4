import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { RequestTally } from './request-tally.ts';

/** Counts and logs the end of each request. The route label is the pattern, so it has few values. */
export function measureRequests(fastify: FastifyInstance, requests: RequestTally, metrics: Metrics, logger: Logger): void {
  const duration = metrics.histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, in seconds.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  });
  const inFlight = metrics.gauge({ name: 'millrace_http_requests_in_flight', help: 'Requests being answered now.' });

  requests.observe({
    began() {
      inFlight.inc();
    },
    ended({ method, route, status, durationMs }) {
      inFlight.dec();
      duration.observe({ method, route, status: String(status) }, durationMs / 1000);
      const fields = { method, route, status, durationMs: Math.round(durationMs) };
      if (status === 499) logger.info(fields, 'A client disconnected before the answer.');
      else logger.debug(fields, 'A request ended.');
    },
  });
  requests.follow(fastify.server);
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!request.is404 && request.routeOptions.url !== undefined) requests.setRoute(request.raw, request.routeOptions.url);
    done();
  });
}
