import { errors } from 'jose';
import { ProblemError } from '../errors.ts';
import type { ApiKeys } from './api-keys.ts';
import type { JwtVerifier } from './jwt-verifier.ts';
import type { Principal } from './principal.ts';

/** Maximum length of a credential in characters; a longer one is refused. */
const credentialLengthMax = 8192;

/** Finds out who makes a request, from its `Authorization: Bearer` header: a JWT or an API key. */
export class Authenticator {
  constructor(
    private readonly jwt: JwtVerifier | undefined,
    private readonly apiKeys: ApiKeys,
  ) {}

  /** @throws ProblemError `unauthenticated` with `WWW-Authenticate`, or `unavailable` when the issuer's keys cannot be fetched. */
  async authenticate(authorization: string | undefined): Promise<Principal> {
    if (authorization === undefined) throw unauthenticated('Send an access token or an API key as "Authorization: Bearer …".');
    const credential = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (credential === undefined || credential.length > credentialLengthMax) {
      throw unauthenticated('The Authorization header must read "Bearer", a space, and the token or key.', 'invalid_request');
    }
    if (this.jwt !== undefined && credential.split('.').length === 3) return this.verifyJwt(this.jwt, credential);
    const principal = this.apiKeys.find(credential);
    if (principal === undefined) throw unauthenticated('The token or key is not known here, or it has expired.', 'invalid_token');
    return principal;
  }

  private async verifyJwt(jwt: JwtVerifier, token: string): Promise<Principal> {
    try {
      return await jwt.verify(token);
    } catch (error) {
      if (error instanceof errors.JOSEError)
        throw unauthenticated(reasons[error.code] ?? 'The token is not valid.', 'invalid_token', error);
      throw error;
    }
  }
}

const reasons: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'The token has expired.',
  ERR_JWT_CLAIM_VALIDATION_FAILED:
    'The token is not meant for this service: its issuer, audience or times do not fit, or a required claim is missing.',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "The token's signature is wrong.",
  ERR_JWKS_NO_MATCHING_KEY: 'The token is signed with a key that its issuer does not have.',
  ERR_JOSE_ALG_NOT_ALLOWED: 'The token is signed with an algorithm that is not accepted.',
};

function unauthenticated(detail: string, error?: 'invalid_request' | 'invalid_token', cause?: unknown): ProblemError {
  const challenge = error === undefined ? 'Bearer realm="millrace"' : `Bearer realm="millrace", error="${error}"`;
  return new ProblemError('unauthenticated', { detail, headers: { 'www-authenticate': challenge }, cause });
}
