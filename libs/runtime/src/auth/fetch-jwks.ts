import { CodedError, isThrottled, parseRetryAfterMs } from '@millrace/resilience';
import type { JSONWebKeySet } from 'jose';

/** Largest key set in bytes; a real one has a few kilobytes. */
const jwksBytesMax = 256 * 1024;

/** Thrown when a key set cannot be fetched. */
export class JwksError extends CodedError {
  readonly code = 'jwks-unavailable';
  /** Whether the issuer throttles: 429, or 503 with `Retry-After`. */
  readonly throttled: boolean;
  /** Milliseconds until a retry makes sense, if the issuer states them. */
  readonly retryAfterMs: number | undefined;

  /** @param retryable Whether a retry may help. */
  constructor(
    message: string,
    readonly retryable: boolean,
    { throttled = false, retryAfterMs }: { readonly throttled?: boolean; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.throttled = throttled;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Fetches an issuer's key set. No redirects: keys come only from the configured address.
 * @param signal Ends it, whatever it waits for: it has no time limit of its own.
 * @throws JwksError when the answer is no key set; the error of `fetch` when there is none.
 */
export async function fetchJwks(url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    const { status } = response;
    // Only these two of the 4xx answers are temporary.
    const retryable = status >= 500 || status === 408 || status === 429;
    const retryAfterMs = parseRetryAfterMs(response.headers.get('retry-after') ?? undefined, Date.now());
    throw new JwksError(`The issuer's key set at ${url} was answered with status ${status}.`, retryable, {
      throttled: isThrottled(status, retryAfterMs),
      retryAfterMs,
    });
  }
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > jwksBytesMax) throw new JwksError(`The issuer's key set at ${url} is larger than ${jwksBytesMax} bytes.`, false);
  }
  return JSON.parse(text) as JSONWebKeySet;
}
