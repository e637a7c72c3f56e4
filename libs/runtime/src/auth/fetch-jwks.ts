import type { JSONWebKeySet } from 'jose';

/** Largest key set in bytes; a real one has a few kilobytes. */
const jwksBytesMax = 256 * 1024;

/** A key set that could not be had. */
export class JwksError extends Error {
  readonly code = 'jwks-unavailable';

  /** @param retryable Whether asking again may help. */
  constructor(
    message: string,
    readonly retryable: boolean,
  ) {
    super(message);
    this.name = 'JwksError';
  }
}

/**
 * Gets an issuer's key set. No redirects: keys come from where the operator said.
 * @param signal Ends it, whatever it waits for: it has no time limit of its own.
 * @throws JwksError when the answer is no key set; the error of `fetch` when there is none.
 */
export async function fetchJwks(url: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal });
  if (!response.ok) {
    await response.body?.cancel();
    // Of the refusals only these two pass by themselves.
    const retryable = response.status >= 500 || response.status === 408 || response.status === 429;
    throw new JwksError(`The issuer's key set at ${url} was answered with status ${response.status}.`, retryable);
  }
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > jwksBytesMax) throw new JwksError(`The issuer's key set at ${url} is larger than ${jwksBytesMax} bytes.`, false);
  }
  return JSON.parse(text) as JSONWebKeySet;
}
