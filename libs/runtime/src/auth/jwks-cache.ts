import { type CryptoKey, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters, createLocalJWKSet, errors } from 'jose';
import { ProblemError } from '../errors.ts';

/** How keys are kept. */
export interface JwksCacheOptions {
  /** Fetches the key set; it must end by itself within a time limit. */
  readonly fetchJwks: () => Promise<JSONWebKeySet>;
  /** How long keys are used without asking again, in milliseconds. Default 10 minutes. */
  readonly freshMs?: number;
  /** How long keys go on being used while the issuer cannot be reached, in milliseconds. Default 24 hours. */
  readonly staleMsMax?: number;
  /** Least time between two fetches that unknown key ids or failures cause, in milliseconds, so that made-up ids cannot flood the issuer. Default 30 seconds. */
  readonly cooldownMs?: number;
  /** Clock in milliseconds. */
  readonly now?: () => number;
}

type KeyOf = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/** The issuer's keys: fetched once for all who wait, asked for again when a key id is unknown (rotation), kept while the issuer is away. */
export class JwksCache {
  private current: { readonly keyOf: KeyOf; readonly fetchedAtMs: number } | undefined;
  private pending: Promise<KeyOf> | undefined;
  private triedAtMs = Number.NEGATIVE_INFINITY;
  private readonly now: () => number;

  constructor(private readonly options: JwksCacheOptions) {
    this.now = options.now ?? Date.now;
  }

  /**
   * The key a token is signed with.
   * @throws ProblemError `unavailable` when there are no keys because the issuer cannot be reached.
   * @throws jose's JWKSNoMatchingKey when the issuer has no such key.
   */
  readonly keyFor: KeyOf = async (header, token) => {
    const keyOf = await this.usableKeys();
    try {
      return await keyOf(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.mayFetch()) throw error;
      return (await this.refresh())(header, token);
    }
  };

  private async usableKeys(): Promise<KeyOf> {
    const { freshMs = 600_000, staleMsMax = 86_400_000 } = this.options;
    const ageMs = this.current === undefined ? Number.POSITIVE_INFINITY : this.now() - this.current.fetchedAtMs;
    if (this.current !== undefined && ageMs < freshMs) return this.current.keyOf;
    if (this.pending !== undefined || this.mayFetch()) {
      try {
        return await this.refresh();
      } catch (error) {
        if (this.current === undefined || ageMs >= staleMsMax) throw unreachable(error);
      }
    }
    if (this.current === undefined || ageMs >= staleMsMax) throw unreachable();
    return this.current.keyOf;
  }

  private mayFetch(): boolean {
    return this.pending === undefined && this.now() - this.triedAtMs >= (this.options.cooldownMs ?? 30_000);
  }

  private refresh(): Promise<KeyOf> {
    this.pending ??= this.fetch().finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  private async fetch(): Promise<KeyOf> {
    this.triedAtMs = this.now();
    const keyOf = createLocalJWKSet(await this.options.fetchJwks());
    this.current = { keyOf, fetchedAtMs: this.now() };
    return keyOf;
  }
}

function unreachable(cause?: unknown): ProblemError {
  return new ProblemError('unavailable', { detail: "The keys of the tokens' issuer cannot be fetched now.", retryAfterSeconds: 30, cause });
}
