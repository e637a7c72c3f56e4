import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { isOperatorPath } from '../http/operator-path.ts';
import type { RequestTally } from '../http/request-tally.ts';
import { traceparentOfSpan } from './trace-context.ts';
import type { Tracing } from './tracing.ts';

// A property and not a WeakMap, as in RequestTally.
const spanProperty = Symbol('span');
type Traced = IncomingMessage & { [spanProperty]?: Span };

/**
 * Gives each request a span, from its head to the end of its answer. It continues the trace of the caller. Requests for health and metrics
 * get none: they would outnumber all others.
 */
export function traceRequests(fastify: FastifyInstance, requests: Pick<RequestTally, 'endOf' | 'statusOf'>, tracing: Tracing): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.is404 ? undefined : request.routeOptions.url;
    if (!isOperatorPath(route)) begin(request, route, requests, tracing);
    done();
  });
}

/** The `traceparent` of the span of a request; undefined while tracing is off. */
export function traceparentOfRequest({ raw }: FastifyRequest): string | undefined {
  const span = (raw as Traced)[spanProperty];
  return span === undefined ? undefined : traceparentOfSpan(span);
}

function begin(
  { raw, method, url, headers }: FastifyRequest,
  route: string | undefined,
  requests: Pick<RequestTally, 'endOf' | 'statusOf'>,
  tracing: Tracing,
): void {
  const span = tracing.startSpan(
    route === undefined ? method : `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': method,
        'url.path': url.split('?', 1)[0]!,
        'url.scheme': 'http',
        'network.protocol.version': raw.httpVersion,
        ...(route === undefined ? {} : { 'http.route': route }),
      },
    },
    tracing.contextOf(headers),
  );
  (raw as Traced)[spanProperty] = span;
  if (span.isRecording()) void endWithAnswer(span, raw, requests);
}

async function endWithAnswer(span: Span, request: IncomingMessage, requests: Pick<RequestTally, 'endOf' | 'statusOf'>): Promise<void> {
  await requests.endOf(request);
  const status = requests.statusOf(request);
  span.setAttribute('http.response.status_code', status);
  if (status >= 500) {
    span.setAttribute('error.type', String(status));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
