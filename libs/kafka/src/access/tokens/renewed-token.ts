/** A token, and the time in milliseconds since the epoch until which it is valid. */
export interface IssuedToken {
  readonly value: string;
  readonly expiresMs: number;
}

/**
 * A token that is renewed in its second half, so that each login gets one that lives for at least half of its time. While a new one cannot
 * be fetched, the current one stays in use until it expires.
 */
export class RenewedToken {
  readonly #fetch: () => Promise<IssuedToken>;
  readonly #now: () => number;
  #current: (IssuedToken & { readonly renewAtMs: number }) | undefined;
  #fetching: Promise<string> | undefined;

  /**
   * @param fetch fetches a new token
   * @param now milliseconds since the epoch. Default: `Date.now`
   */
  constructor(fetch: () => Promise<IssuedToken>, now: () => number = Date.now) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * Returns a valid token. Calls at the same time share one request.
   *
   * @throws what `fetch` throws, if no valid token is left
   */
  async get(): Promise<string> {
    const current = this.#current;
    if (current !== undefined && this.#now() < current.renewAtMs) return current.value;
    this.#fetching ??= this.#renew().finally(() => (this.#fetching = undefined));
    try {
      return await this.#fetching;
    } catch (error) {
      if (current !== undefined && this.#now() < current.expiresMs) return current.value;
      throw error;
    }
  }

  async #renew(): Promise<string> {
    const { value, expiresMs } = await this.#fetch();
    const now = this.#now();
    this.#current = { value, expiresMs, renewAtMs: now + (expiresMs - now) / 2 };
    return value;
  }
}
