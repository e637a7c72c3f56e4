import { type GenerateKeyPairResult, SignJWT, generateKeyPair } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JwtVerifier } from './jwt-verifier.ts';

let pair: GenerateKeyPairResult;
let other: GenerateKeyPairResult;
beforeAll(async () => {
  pair = await generateKeyPair('ES256');
  other = await generateKeyPair('ES256');
});

let nowMs: number;
let checks: number;
let verifier: JwtVerifier;
beforeEach(() => {
  nowMs = 1_000_000_000;
  checks = 0;
  verifier = new JwtVerifier({ issuer: 'https://issuer', audience: 'millrace', clockToleranceSeconds: 10, now: () => nowMs }, () => {
    checks += 1;
    return pair.publicKey;
  });
});

function token(claims: Record<string, unknown> = {}, key = pair.privateKey): Promise<string> {
  const nowSeconds = nowMs / 1000;
  return new SignJWT({ iss: 'https://issuer', aud: 'millrace', sub: 'ada', exp: nowSeconds + 3600, scope: 'queries:run email', ...claims })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(key);
}

describe('JwtVerifier', () => {
  it('the principal of a token has its subject and the known scopes', async () => {
    const principal = await verifier.verify(await token());
    expect(principal).toMatchObject({ subject: 'ada', kind: 'jwt' });
    expect([...principal.scopes]).toEqual(['queries:run']);
  });

  it('a token may carry its scopes as an array', async () => {
    expect([...(await verifier.verify(await token({ scope: undefined, scp: ['admin', 7] }))).scopes]).toEqual(['admin']);
  });

  it.each([
    ['of another issuer', { iss: 'https://other' }],
    ['for another audience', { aud: 'other' }],
    ['that has expired', { exp: 1_000_000 - 11 }],
    ['that is not valid yet', { nbf: 1_000_000 + 11 }],
    ['that never expires', { exp: undefined }],
    ['without a subject', { sub: undefined }],
  ])('a token %s is refused', async (_what, claims) => {
    await expect(verifier.verify(await token(claims))).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_JWT_/) as string });
  });

  it('a token is accepted within the clock tolerance', async () => {
    await expect(verifier.verify(await token({ exp: 1_000_000 - 9, nbf: 1_000_000 + 9 }))).resolves.toBeDefined();
  });

  it('a token signed with another key is refused', async () => {
    await expect(verifier.verify(await token({}, other.privateKey))).rejects.toMatchObject({
      code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    });
  });

  it('a token signed with a shared secret is refused, because the public key is not secret', async () => {
    const forged = await new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode('x'.repeat(32)));
    await expect(verifier.verify(forged)).rejects.toMatchObject({ code: 'ERR_JOSE_ALG_NOT_ALLOWED' });
  });

  it('a token is verified at most once a minute and is refused after it expires', async () => {
    const long = await token();
    await verifier.verify(long);
    await verifier.verify(long);
    expect(checks).toBe(1);
    nowMs += 60_000;
    await verifier.verify(long);
    expect(checks).toBe(2);
    const short = await token({ exp: nowMs / 1000 + 5 });
    await verifier.verify(short);
    nowMs += 16_000;
    await expect(verifier.verify(short)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });
});
