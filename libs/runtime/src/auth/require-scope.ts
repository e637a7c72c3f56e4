import { type CanActivate, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../errors.ts';
import { principalOf } from './principal.ts';
import type { Scope } from './scope.ts';

const scopeMetadata = 'millrace:scope';

/** The scope that a controller or a route needs; a route's own wins over its controller's. Without it, any authenticated caller may come in. */
export const RequireScope = (scope: Scope): ClassDecorator & MethodDecorator => SetMetadata(scopeMetadata, scope);

/** Refuses callers who lack the scope of the route. Authentication has happened before, ahead of the body. */
export class ScopeGuard implements CanActivate {
  private readonly reflector = new Reflector();

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(scopeMetadata, [context.getHandler(), context.getClass()]);
    if (scope === undefined) return true;
    const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
    if (principal?.scopes.has(scope) === true) return true;
    throw new ProblemError('forbidden', {
      detail: `This needs the scope ${scope}.`,
      headers: { 'www-authenticate': `Bearer realm="millrace", error="insufficient_scope", scope="${scope}"` },
    });
  }
}
