import { principalOf, type Principal } from '@millrace/runtime';
import type { FastifyRequest } from 'fastify';

/**
 * The caller of a request.
 *
 * @throws TypeError when the request was not authenticated: a bug, because no open route asks for its caller
 */
export function callerOf(request: FastifyRequest): Principal {
  const caller = principalOf(request);
  if (caller === undefined) throw new TypeError('A request without a principal reached the queries.');
  return caller;
}
