import { type Priority, priorities } from '@millrace/resilience';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../errors.ts';

/** Header with which a caller lowers the priority of its request: one of {@link priorities}. */
export const priorityHeader = 'x-millrace-priority';

/**
 * How much requests of a route matter when the service has more work than it can do and sheds some. Needs the `admission` of the service.
 * Default `normal`.
 */
export function RoutePriority(priority: Priority): MethodDecorator {
  return RouteConfig({ millracePriority: priority });
}

/**
 * The priority of a request: its route's, or a lower one that the caller asks for. A caller cannot raise it, because every caller would.
 * @throws ProblemError `validation` when the header is not a priority
 */
export function priorityOf(request: FastifyRequest): Priority {
  const route = (request.routeOptions.config as { millracePriority?: Priority }).millracePriority ?? 'normal';
  const asked = request.headers[priorityHeader];
  if (asked === undefined) return route;
  const index = priorities.indexOf(asked as Priority);
  if (index === -1)
    throw new ProblemError('validation', { errors: [{ field: priorityHeader, message: `must be one of ${priorities.join(', ')}` }] });
  return priorities[Math.max(index, priorities.indexOf(route))]!;
}
