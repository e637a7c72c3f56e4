import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OIDC issuer of a test: a token endpoint for client credentials, and the keys with which a broker checks tokens. */
export class TokenIssuer {
  /** Lifetime of the tokens in seconds. */
  lifetimeSeconds = 20;
  /** Number of tokens issued. */
  issued = 0;
  readonly #server: Server;
  readonly #key: KeyObject;
  readonly #jwks: string;
  readonly #secrets: ReadonlyMap<string, string>;

  private constructor(secrets: ReadonlyMap<string, string>) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#key = privateKey;
    this.#jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' }] });
    this.#secrets = secrets;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @param secrets client secrets by client id; the id becomes the principal */
  static async start(secrets: ReadonlyMap<string, string>): Promise<TokenIssuer> {
    const issuer = new TokenIssuer(secrets);
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get tokenUrl(): string {
    return `${this.#url}/token`;
  }

  get jwksUrl(): string {
    return `${this.#url}/jwks`;
  }

  /** Signs a token. */
  token(subject: string, lifetimeSeconds = this.lifetimeSeconds): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.#url, sub: subject, scope: 'kafka', iat: now, exp: now + lifetimeSeconds };
    const text = `${encoded({ alg: 'RS256', kid: 'test' })}.${encoded(claims)}`;
    this.issued += 1;
    return `${text}.${createSign('RSA-SHA256').update(text).sign(this.#key).toString('base64url')}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    await once(request, 'end');
    response.setHeader('content-type', 'application/json');
    if (request.url === '/jwks') return void response.end(this.#jwks);
    const [id = '', secret] = Buffer.from(request.headers.authorization?.replace('Basic ', '') ?? '', 'base64')
      .toString()
      .split(':');
    if (secret === undefined || this.#secrets.get(id) !== secret) {
      response.statusCode = 401;
      return void response.end(JSON.stringify({ error: 'invalid_client' }));
    }
    response.end(JSON.stringify({ access_token: this.token(id), token_type: 'Bearer', expires_in: this.lifetimeSeconds }));
  }
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
