import type { JSONWebKeySet } from 'jose';

/** Largest key set in bytes; a real one has a few kilobytes. */
const jwksBytesMax = 256 * 1024;

/**
 * Gets an issuer's key set. No redirects: keys come from where the operator said.
 * @param timeoutMs Longest time for the whole answer. Default 2000.
 */
export async function fetchJwks(url: string, timeoutMs = 2000): Promise<JSONWebKeySet> {
  const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`The issuer's key set at ${url} was answered with status ${response.status}.`);
  }
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > jwksBytesMax) throw new Error(`The issuer's key set at ${url} is larger than ${jwksBytesMax} bytes.`);
  }
  return JSON.parse(text) as JSONWebKeySet;
}
