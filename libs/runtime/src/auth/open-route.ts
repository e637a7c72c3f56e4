import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

/** Marks a route that needs no credentials, such as the static files of a page. Its answers must hold nothing that a caller may not see. */
export function OpenRoute(): MethodDecorator {
  return RouteConfig({ millraceOpenRoute: true });
}

/** Whether the route of a request needs no credentials. */
export function isOpenRoute(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { millraceOpenRoute?: boolean }).millraceOpenRoute === true;
}
