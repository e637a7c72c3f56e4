import { type CanActivate, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../errors.ts';
import { principalOf } from './principal.ts';
import type { Scope } from './scope.ts';

const scopeMetadata = 'millrace:scope';

/**
 * The scope that a controller or a route needs. The scope of a route overrides that of its controller. Without it, any authenticated caller
 * is admitted.
 * @param scopes One of these is enough. The first is named in the challenge of a refusal.
 */
export const RequireScope = (...scopes: readonly [Scope, ...Scope[]]): ClassDecorator & MethodDecorator =>
  SetMetadata(scopeMetadata, scopes);

/** Refuses callers who lack the scope of the route. Authentication runs earlier, before the body is read. */
export class ScopeGuard implements CanActivate {
  private readonly reflector = new Reflector();

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const scopes = this.reflector.getAllAndOverride<readonly Scope[] | undefined>(scopeMetadata, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (scopes === undefined) return true;
    const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
    if (scopes.some((scope) => principal?.scopes.has(scope))) return true;
    throw new ProblemError('forbidden', {
      detail: `This needs the scope ${scopes.join(' or ')}.`,
      headers: { 'www-authenticate': `Bearer realm="millrace", error="insufficient_scope", scope="${scopes[0]}"` },
    });
  }
}
