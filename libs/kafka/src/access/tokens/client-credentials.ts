import type { Secret } from '@millrace/credentials';
import { KafkaTokenError } from '../errors.ts';
import type { IssuedToken } from './renewed-token.ts';

/** How to get a token by the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4). */
export interface ClientCredentials {
  /** The token endpoint. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scope?: string | undefined;
}

/** Time for one request in milliseconds: a login waits for it. */
const requestMsMax = 5000;

/** Lifetime in seconds of a token whose endpoint does not state one. */
const lifetimeSecondsDefault = 60;

/** Returns a function that fetches a token, without retries. It throws a {@link KafkaTokenError}. */
export function clientCredentials({ url, clientId, clientSecret, scope }: ClientCredentials): () => Promise<IssuedToken> {
  return async () => {
    const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret())}`).toString('base64');
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
    const requestedMs = Date.now();
    const { status, text } = await post(url, basic, body);
    const answer = parse(text);
    if (status >= 400 && status < 500 && status !== 429) {
      const reason = typeof answer['error'] === 'string' ? `: ${answer['error'].slice(0, 100)}` : '';
      throw new KafkaTokenError('token-refused', `The token endpoint answered ${status}${reason}.`);
    }
    if (status !== 200) throw new KafkaTokenError('token-unavailable', `The token endpoint answered ${status}.`);
    const { access_token: value, expires_in: seconds } = answer;
    if (typeof value !== 'string' || value === '')
      throw new KafkaTokenError('token-refused', 'The answer of the token endpoint holds no access_token.');
    const lifetimeSeconds = Number(seconds ?? lifetimeSecondsDefault);
    return { value, expiresMs: requestedMs + 1000 * (lifetimeSeconds > 0 ? lifetimeSeconds : lifetimeSecondsDefault) };
  };
}

async function post(url: string, basic: string, body: URLSearchParams): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, accept: 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(requestMsMax),
    });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    throw new KafkaTokenError('token-unavailable', 'The token endpoint does not answer.', { cause: error });
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
