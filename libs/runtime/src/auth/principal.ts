import type { FastifyRequest } from 'fastify';
import type { Scope } from './scope.ts';

/** Who makes a request. */
export interface Principal {
  /** The token's subject or the key's name. */
  readonly subject: string;
  /** What it showed. */
  readonly kind: 'jwt' | 'api-key';
  /** What it may do, of the scopes that are known here. */
  readonly scopes: ReadonlySet<Scope>;
}

const principals = new WeakMap<FastifyRequest, Principal>();

/** Who makes this request; undefined where authentication is off or the path needs none. */
export function principalOf(request: FastifyRequest): Principal | undefined {
  return principals.get(request);
}

/** Remembers who makes this request, as long as the request lives. */
export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  principals.set(request, principal);
}
