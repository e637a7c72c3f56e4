import { headerNames } from '@millrace/contracts';
import { traceparentOfRequest } from '@millrace/runtime';
import type { FastifyRequest } from 'fastify';
import type { DrawHex } from '../publish/random-hex.ts';
import { traceparentOf } from '../publish/traceparent.ts';

/** The trace context of a request: that of its span, or without tracing that of its caller, or else a new one. */
export function traceOf(request: FastifyRequest, draw: DrawHex): string {
  return traceparentOfRequest(request) ?? traceparentOf(request.headers[headerNames.traceparent], draw);
}
