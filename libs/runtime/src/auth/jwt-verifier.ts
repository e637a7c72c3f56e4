import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Principal } from './principal.ts';
import { type Scope, isScope } from './scope.ts';

/** Required claims of a token. */
export interface JwtOptions {
  /** Exact value of `iss`. */
  readonly issuer: string;
  /** A value that `aud` must hold. */
  readonly audience: string;
  /** Maximum difference between the clocks of issuer and service, in seconds, ≥ 0. Default 30. */
  readonly clockToleranceSeconds?: number;
  /** Wall clock in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Public-key signatures only: with a shared secret, anyone who can verify a token can also forge one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** Time for which a verified token is not verified again: a signature costs as much as the rest of a small request. */
const rememberedMs = 60_000;
const rememberedMax = 1000;

/** Checks bearer tokens: signature, issuer, audience, times. */
export class JwtVerifier {
  private readonly remembered = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();
  private readonly now: () => number;

  constructor(
    private readonly options: JwtOptions,
    private readonly keyFor: JWTVerifyGetKey,
  ) {
    this.now = options.now ?? Date.now;
  }

  /**
   * Verifies a token and returns its principal.
   * @throws jose's errors when the token is not valid, and any error of the fetch of the keys.
   */
  async verify(token: string): Promise<Principal> {
    const known = this.remembered.get(token);
    if (known !== undefined && this.now() < known.untilMs) return known.principal;
    this.remembered.delete(token);
    const { issuer, audience, clockToleranceSeconds = 30 } = this.options;
    const { payload } = await jwtVerify(token, this.keyFor, {
      issuer,
      audience,
      algorithms,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(this.now()),
      requiredClaims: ['exp', 'sub'],
    });
    const principal: Principal = { kind: 'jwt', issuer, subject: payload.sub ?? '', scopes: scopesOf(payload) };
    this.remember(token, principal, Math.min(this.now() + rememberedMs, (payload.exp ?? 0) * 1000));
    return principal;
  }

  private remember(token: string, principal: Principal, untilMs: number): void {
    const oldest = this.remembered.size >= rememberedMax ? this.remembered.keys().next().value : undefined;
    if (oldest !== undefined) this.remembered.delete(oldest);
    this.remembered.set(token, { principal, untilMs });
  }
}

/** `scope` is a list separated by spaces (RFC 8693); some issuers send `scp`, as a list or as an array. Unknown scopes are ignored. */
function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<Scope> {
  const given = [scope, scp].flatMap((claim) => (typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []));
  return new Set(given.filter((name): name is Scope => typeof name === 'string' && isScope(name)));
}
