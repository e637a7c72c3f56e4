import type { SignInView } from '@millrace/contracts';
import { base, pathTo } from '../app/paths.ts';
import { SignInError } from './errors.ts';

/** The client of the console at its issuer. */
export type OidcClient = NonNullable<SignInView['oidc']>;

/** Path to which the issuer sends the user back. It is registered at the issuer. */
export const returnPath = pathTo('sign-in');

/** Values that the page needs again when the issuer sends the user back. It holds no token, and is removed then. */
interface BegunSignIn {
  readonly state: string;
  /** PKCE: proves that the page that asked for the code is the one that exchanges it. */
  readonly verifier: string;
  /** The address that the user came from. */
  readonly returnTo: string;
}

/** Parts of the browser. */
export interface OidcPage {
  readonly origin: string;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
}

interface Endpoints {
  readonly authorization: string;
  readonly token: string;
}

const key = 'millrace-sign-in';

/**
 * Begins the authorization code flow with PKCE and returns the address of the issuer to go to.
 *
 * @param returnTo address of the console to come back to
 * @throws SignInError when the issuer does not say where its endpoints are
 */
export async function beginSignIn(client: OidcClient, returnTo: string, page: OidcPage): Promise<string> {
  const { authorization } = await discover(client.issuer, page);
  const begun: BegunSignIn = { state: randomText(), verifier: randomText(), returnTo };
  page.storage.setItem(key, JSON.stringify(begun));
  const url = new URL(authorization);
  const parameters = {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: page.origin + returnPath,
    scope: client.scope,
    // Some issuers choose the audience of a token by it; others ignore it.
    audience: client.audience,
    state: begun.state,
    code_challenge: await challengeOf(begun.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/**
 * Exchanges the code with which the issuer sent the user back.
 *
 * @param search query string of the address
 * @throws SignInError when the issuer refused, or the answer belongs to no sign-in of this tab
 */
export async function finishSignIn(
  client: OidcClient,
  search: string,
  page: OidcPage,
): Promise<{ readonly token: string; readonly returnTo: string }> {
  const begun = readBegun(page.storage);
  page.storage.removeItem(key);
  const answer = new URLSearchParams(search);
  if (begun === undefined || answer.get('state') !== begun.state)
    throw new SignInError('The answer of the issuer belongs to no sign-in of this tab. Sign in again.');
  const refusal = answer.get('error');
  if (refusal !== null) throw new SignInError(`The issuer answered ${refusal}. ${answer.get('error_description') ?? ''}`.trim());
  // RFC 9207: an answer of another issuer must not bring its code to this one.
  const from = answer.get('iss');
  if (from !== null && from !== client.issuer) throw new SignInError('The answer comes from another issuer. Sign in again.');
  const { token } = await discover(client.issuer, page);
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: answer.get('code') ?? '',
    redirect_uri: page.origin + returnPath,
    client_id: client.clientId,
    code_verifier: begun.verifier,
  });
  const given = await askIssuer(client.issuer, token, page, { method: 'POST', body: form });
  if (typeof given['access_token'] !== 'string' || String(given['token_type']).toLowerCase() !== 'bearer')
    throw new SignInError('The issuer gave no bearer token. The client of the console must be public, with PKCE.');
  const isOfConsole = begun.returnTo === base || begun.returnTo.startsWith(`${base}/`);
  return { token: given['access_token'], returnTo: isOfConsole && !begun.returnTo.startsWith(returnPath) ? begun.returnTo : base };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html */
async function discover(issuer: string, page: OidcPage): Promise<Endpoints> {
  const place = new URL('.well-known/openid-configuration', issuer.endsWith('/') ? issuer : `${issuer}/`);
  const found = await askIssuer(issuer, place.href, page);
  if (found['issuer'] !== issuer) throw new SignInError(`The address of ${issuer} describes another issuer.`);
  return { authorization: endpointOf(found['authorization_endpoint']), token: endpointOf(found['token_endpoint']) };
}

/** A code or a token in plain text can be stolen. Only this machine may use http. */
function endpointOf(value: unknown): string {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && /^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname))) return url.href;
  throw new SignInError('The issuer has an endpoint without https.');
}

async function askIssuer(
  issuer: string,
  url: string,
  { fetch: send, origin }: OidcPage,
  init: RequestInit = {},
): Promise<Record<string, unknown>> {
  let response: Response;
  try {
    response = await send(url, { ...init, credentials: 'omit', cache: 'no-store', redirect: 'error' });
  } catch (error) {
    throw new SignInError(
      `${new URL(url).origin} does not answer this page. The issuer ${issuer} must run and allow the origin ${origin} (CORS). An operator ` +
        'names a further origin in QUERY_CONSOLE_OIDC_ORIGINS.',
      error,
    );
  }
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return answer;
  const reason = [answer['error_description'], answer['error']].find((text) => typeof text === 'string') ?? 'no reason given';
  throw new SignInError(`The issuer answered ${response.status}: ${reason}`);
}

function readBegun(storage: OidcPage['storage']): BegunSignIn | undefined {
  try {
    const kept = JSON.parse(storage.getItem(key) ?? 'null') as BegunSignIn | null;
    return typeof kept?.state === 'string' && typeof kept.verifier === 'string' && typeof kept.returnTo === 'string' ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** 256 random bits. */
function randomText(): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier: string): Promise<string> {
  return base64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCodePoint(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
