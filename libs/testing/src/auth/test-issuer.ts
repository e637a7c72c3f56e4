import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The only client of the authorization endpoint. */
export const testClientId = 'millrace-console';

/** An issuer of tokens on a free port of this machine. */
export interface TestIssuer {
  /** Value of `iss`. */
  readonly name: string;
  /** Settings of a service that accepts its tokens. */
  readonly settings: Readonly<Record<string, string>>;
  /** The user who has signed in at the issuer. A test may change it. */
  user: { readonly subject: string; readonly scope: string };
  /** Parameters of each request to the authorization endpoint. */
  readonly authorizations: readonly Readonly<Record<string, string>>[];
  /** The answer to each request to the token endpoint: `token`, or the reason of a refusal. */
  readonly exchanges: readonly string[];
  /** A signed token, good for five minutes. */
  tokenFor(subject: string, scope: string): string;
  close(): Promise<void>;
}

/** An authorization code that can be exchanged once. */
interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
}

/**
 * Opens an issuer: its keys, and the OpenID Connect authorization code flow for one public client that must use PKCE. Its user is always
 * signed in, so that the authorization endpoint redirects at once.
 *
 * @param name value of `iss`. Default: the address of the issuer, which the discovery of OpenID Connect needs
 */
export async function openTestIssuer(name?: string): Promise<TestIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }] };
  const codes = new Map<string, Code>();
  const authorizations: Record<string, string>[] = [];
  const exchanges: string[] = [];
  let origin = '';
  const claimsOf = (subject: string, scope: string): object => {
    return { iss: issuer.name, aud: 'millrace', sub: subject, scope, exp: Math.floor(Date.now() / 1000) + 300 };
  };

  const authorize = (query: URLSearchParams, response: ServerResponse): void => {
    const asked = Object.fromEntries(query);
    authorizations.push(asked);
    const { client_id: client, response_type: type, redirect_uri: redirectUri, code_challenge: challenge, state = '' } = asked;
    const isPkce = asked['code_challenge_method'] === 'S256' && challenge !== undefined;
    if (client !== testClientId || type !== 'code' || redirectUri === undefined || !isPkce)
      return sendJson(response, 400, { error: 'invalid_request' });
    const code = randomBytes(16).toString('base64url');
    codes.set(code, { challenge, redirectUri });
    const back = new URL(redirectUri);
    for (const [key, value] of Object.entries({ code, state, iss: issuer.name })) back.searchParams.set(key, value);
    response.writeHead(302, { location: back.href }).end();
  };

  const exchange = (form: URLSearchParams, response: ServerResponse): void => {
    const {
      code = '',
      client_id: client,
      redirect_uri: redirectUri,
      code_verifier: verifier = '',
      grant_type: grant,
    } = Object.fromEntries(form);
    const given = codes.get(code);
    codes.delete(code);
    const refusal =
      grant !== 'authorization_code' || client !== testClientId
        ? 'invalid_client'
        : given === undefined ||
            given.redirectUri !== redirectUri ||
            given.challenge !== createHash('sha256').update(verifier).digest('base64url')
          ? 'invalid_grant'
          : undefined;
    exchanges.push(refusal ?? 'token');
    if (refusal !== undefined) return sendJson(response, 400, { error: refusal });
    const { subject, scope } = issuer.user;
    sendJson(response, 200, { access_token: issuer.tokenFor(subject, scope), token_type: 'Bearer', expires_in: 300, scope });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url!, origin);
    if (pathname === '/jwks') return sendJson(response, 200, jwks);
    if (pathname === '/authorize') return authorize(searchParams, response);
    if (pathname === '/token' && request.method === 'POST') return exchange(new URLSearchParams(await bodyOf(request)), response);
    if (pathname === '/.well-known/openid-configuration') return sendJson(response, 200, discoveryOf(issuer.name, origin));
    sendJson(response, 404, { error: 'not_found' });
  };

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: TestIssuer = {
    name: name ?? origin,
    settings: {
      MILLRACE_AUTH_JWKS_URL: `${origin}/jwks`,
      MILLRACE_AUTH_JWT_ISSUER: name ?? origin,
      MILLRACE_AUTH_JWT_AUDIENCE: 'millrace',
    },
    user: { subject: 'alice', scope: 'queries:run' },
    authorizations,
    exchanges,
    tokenFor: (subject, scope) => signed(claimsOf(subject, scope), privateKey),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}

function discoveryOf(name: string, origin: string): object {
  return {
    issuer: name,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/jwks`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}

/** A JWT of these claims, signed by ES256. */
function signed(claims: object, key: KeyObject): string {
  const parts = [{ alg: 'ES256', kid: 'k1' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${parts}.${sign('sha256', Buffer.from(parts), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** Pages of other origins may read the answer: a browser is the client. */
function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
