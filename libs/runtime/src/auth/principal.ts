import type { FastifyRequest } from 'fastify';
import { type Scope, scopes } from './scope.ts';

/** Identity of a caller. Two callers are the same only if all three fields are equal. */
export interface PrincipalId {
  /** Kind of credential; `anonymous` while authentication is off. */
  readonly kind: 'jwt' | 'api-key' | 'anonymous';
  /** Issuer of the token; empty for API keys and anonymous callers. */
  readonly issuer: string;
  /** Subject of the token or name of the API key; empty for anonymous callers. */
  readonly subject: string;
}

/** An authenticated caller with its rights. */
export interface Principal extends PrincipalId {
  /** Known scopes of the credential. */
  readonly scopes: ReadonlySet<Scope>;
}

/** The caller while authentication is off. It holds every scope, because no scope is checked then. */
export const anonymous: Principal = { kind: 'anonymous', issuer: '', subject: '', scopes: new Set(scopes) };

/** The identity without the rights, for storage and logs. */
export function idOfPrincipal({ kind, issuer, subject }: PrincipalId): PrincipalId {
  return { kind, issuer, subject };
}

/** Stable text of an identity. Different principals have different texts, whatever characters their fields hold. */
export function principalKey({ kind, issuer, subject }: PrincipalId): string {
  return JSON.stringify([kind, issuer, subject]);
}

/** Whether two identities are the same principal. Rights do not matter. */
export function samePrincipal(a: PrincipalId, b: PrincipalId): boolean {
  return a.kind === b.kind && a.issuer === b.issuer && a.subject === b.subject;
}

// A property and not a WeakMap: the garbage collector visits every entry of a WeakMap again in each cycle.
const principalProperty = Symbol('principal');
type WithPrincipal = FastifyRequest & { [principalProperty]?: Principal };

/** The caller of a request; undefined only on paths that need no credentials. */
export function principalOf(request: FastifyRequest): Principal | undefined {
  return (request as WithPrincipal)[principalProperty];
}

/** Remembers the caller of a request for the life of the request. */
export function setPrincipal(request: FastifyRequest, principal: Principal): void {
  (request as WithPrincipal)[principalProperty] = principal;
}
