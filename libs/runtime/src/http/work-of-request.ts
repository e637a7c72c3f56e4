import { headerNames } from '@millrace/contracts';
import type { Priority } from '@millrace/resilience';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../errors.ts';
import { priorityOf } from './request-priority.ts';

/** Longest time ahead that a caller's deadline counts, in milliseconds; beyond it the service's own limits decide anyway. */
const deadlineAheadMsMax = 3_600_000;

/** Limits of the work for a request. Give both to a pipeline. */
export interface WorkOfRequest {
  /** Aborted when the client disconnects before the answer. */
  readonly signal: AbortSignal;
  /** Epoch milliseconds after which the caller no longer waits, from its header. */
  readonly deadline?: number;
  /** How much the request matters; see `RoutePriority`. */
  readonly priority: Priority;
}

/**
 * Reads the limits of the work for a request.
 * @throws ProblemError when its deadline header is malformed or has passed, or its priority header is malformed
 */
export function workOfRequest(request: FastifyRequest, reply: FastifyReply): WorkOfRequest {
  const deadline = deadlineOf(request.headers[headerNames.deadline]);
  return { signal: signalOf(reply), priority: priorityOf(request), ...(deadline === undefined ? {} : { deadline }) };
}

/** Not Fastify's `request.signal`: it follows the incoming message, which closes as soon as its body has been read. */
function signalOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished)
      controller.abort(new ProblemError('client-closed', { detail: 'The client disconnected before the answer.' }));
  });
  return controller.signal;
}

/**
 * Reads the deadline header of an HTTP request or, as bytes, of a Kafka message: epoch milliseconds. Call it where work for a caller
 * begins. A stored fact has no deadline.
 * @throws ProblemError `validation` when it is not a whole number, `deadline-exceeded` when it has passed
 */
export function deadlineOf(given: string | string[] | Uint8Array | undefined, nowMs = Date.now()): number | undefined {
  if (given === undefined) return undefined;
  const header = given instanceof Uint8Array ? new TextDecoder().decode(given) : given;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) {
    throw new ProblemError('validation', {
      errors: [{ field: headerNames.deadline, message: 'must be one whole number, milliseconds since 1970' }],
    });
  }
  const deadline = Number(header);
  if (deadline <= nowMs)
    throw new ProblemError('deadline-exceeded', { detail: `The deadline of the caller passed ${nowMs - deadline} ms ago.` });
  return Math.min(deadline, nowMs + deadlineAheadMsMax);
}

/**
 * Headers that carry a deadline to the next service, for Kafka messages and outgoing HTTP requests. {@link deadlineOf} reads them. Empty
 * without a deadline.
 */
export function deadlineHeaders({ deadline }: { readonly deadline?: number | undefined }): Readonly<Record<string, string>> {
  return deadline === undefined ? {} : { [headerNames.deadline]: String(Math.floor(deadline)) };
}
