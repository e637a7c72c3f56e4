import { headerNames } from '@millrace/contracts';
import { deadlineOf, type Lifecycle, traceparentOfRequest } from '@millrace/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestLimits } from '../guards.ts';
import { answerSignal } from './answer-signal.ts';

/** The limits of the work for a request: it ends with its caller, and belongs to its trace. */
export function requestLimitsOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { stopping }: Pick<Lifecycle, 'stopping'>,
): RequestLimits & { readonly signal: AbortSignal } {
  const traceparent = traceparentOfRequest(request);
  return {
    signal: answerSignal(reply.raw, stopping),
    deadline: deadlineOf(request.headers[headerNames.deadline]),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
