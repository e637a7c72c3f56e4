import { type CryptoKey, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters, createLocalJWKSet, errors } from 'jose';
import { ProblemError } from '../errors.ts';

/** Options of {@link JwksCache}. */
export interface JwksCacheOptions {
  /** Fetches the key set; it must end by itself within a time limit. */
  readonly fetchJwks: () => Promise<JSONWebKeySet>;
  /** Time for which keys are used without another fetch, in milliseconds. Default 10 minutes. */
  readonly freshMs?: number;
  /** Time for which keys stay in use while the issuer cannot be reached, in milliseconds. Default 24 hours. */
  readonly staleMsMax?: number;
  /**
   * Minimum time between two fetches that unknown key ids or failures cause, in milliseconds, so that made-up ids cannot flood the issuer.
   * Default 30 seconds.
   */
  readonly cooldownMs?: number;
  /** Clock in milliseconds. Default: the wall clock. */
  readonly now?: () => number;
}

type KeyOf = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

/**
 * The issuer's keys. Concurrent requests share one fetch. An unknown key id starts another fetch, because the issuer may have rotated its
 * keys. Keys stay valid while the issuer is down.
 */
export class JwksCache {
  private current: { readonly keyOf: KeyOf; readonly fetchedAtMs: number } | undefined;
  private pending: Promise<KeyOf> | undefined;
  private triedAtMs = Number.NEGATIVE_INFINITY;
  /** Error of the last fetch; undefined after a success. */
  private failure: { readonly cause: unknown } | undefined;
  private readonly now: () => number;

  constructor(private readonly options: JwksCacheOptions) {
    this.now = options.now ?? Date.now;
  }

  /**
   * Returns the key with which a token is signed.
   * @throws ProblemError `unavailable` when the issuer cannot be reached and its keys are not known, or this one is not among those that
   *   are.
   * @throws jose's JWKSNoMatchingKey when the issuer has no such key.
   */
  readonly keyFor: KeyOf = async (header, token) => {
    const keyOf = await this.usableKeys();
    try {
      return await keyOf(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (this.pending !== undefined || this.mayFetch()) return (await this.refresh())(header, token);
      // It is not known whether the issuer has this key, so the caller is not at fault.
      throw this.failure === undefined ? error : this.unreachable();
    }
  };

  private async usableKeys(): Promise<KeyOf> {
    const { freshMs = 600_000, staleMsMax = 86_400_000 } = this.options;
    const ageMs = this.current === undefined ? Number.POSITIVE_INFINITY : this.now() - this.current.fetchedAtMs;
    const known = ageMs < staleMsMax ? this.current?.keyOf : undefined;
    if (known !== undefined && ageMs < freshMs) return known;
    const fetched = this.pending !== undefined || this.mayFetch() ? this.refresh() : undefined;
    if (known === undefined) {
      if (fetched === undefined) throw this.unreachable();
      return await fetched;
    }
    // After one failed fetch, requests with a known key no longer wait for the issuer.
    const waited = this.failure === undefined ? fetched : undefined;
    void fetched?.catch(() => undefined);
    return (await waited?.catch(() => undefined)) ?? known;
  }

  private mayFetch(): boolean {
    return this.now() - this.triedAtMs >= this.cooldownMs;
  }

  private get cooldownMs(): number {
    return this.options.cooldownMs ?? 30_000;
  }

  private refresh(): Promise<KeyOf> {
    this.pending ??= this.fetch().finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  private async fetch(): Promise<KeyOf> {
    this.triedAtMs = this.now();
    try {
      const keyOf = createLocalJWKSet(await this.options.fetchJwks());
      this.current = { keyOf, fetchedAtMs: this.now() };
      this.failure = undefined;
      return keyOf;
    } catch (cause) {
      this.failure = { cause };
      throw this.unreachable();
    }
  }

  private unreachable(): ProblemError {
    return new ProblemError('unavailable', {
      detail: "The keys of the tokens' issuer cannot be fetched now.",
      retryAfterSeconds: this.cooldownMs / 1000,
      cause: this.failure?.cause,
    });
  }
}
