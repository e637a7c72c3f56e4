import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

/** Marks a route that checks credentials of another kind itself. The service asks for no bearer token there. */
export function OwnCredentials(): MethodDecorator {
  return RouteConfig({ millraceOwnCredentials: true });
}

/** Whether the route of a request checks credentials of another kind itself. */
export function hasOwnCredentials(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { millraceOwnCredentials?: boolean }).millraceOwnCredentials === true;
}
