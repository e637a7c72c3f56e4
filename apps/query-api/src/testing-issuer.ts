import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An issuer of tokens on a free port of this machine. */
export interface TestIssuer {
  /** Settings of a service that accepts its tokens. */
  readonly settings: Readonly<Record<string, string>>;
  /** A signed token, good for five minutes. */
  tokenFor(subject: string, scope: string): string;
  close(): Promise<void>;
}

/** @param name value of `iss` */
export async function openTestIssuer(name: string): Promise<TestIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }] });
  const server = createServer((_request, response) => void response.setHeader('content-type', 'application/json').end(jwks));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    settings: {
      MILLRACE_AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
      MILLRACE_AUTH_JWT_ISSUER: name,
      MILLRACE_AUTH_JWT_AUDIENCE: 'millrace',
    },
    tokenFor(subject, scope) {
      const claims = { iss: name, aud: 'millrace', sub: subject, scope, exp: Math.floor(Date.now() / 1000) + 300 };
      const signed = [{ alg: 'ES256', kid: 'k1' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    },
    async close() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
