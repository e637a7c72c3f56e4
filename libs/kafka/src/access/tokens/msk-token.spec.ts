import { afterEach, expect, it, vi } from 'vitest';
import { mskToken } from './msk-token.ts';

afterEach(() => void vi.unstubAllEnvs());

it("a token for MSK is a signed connect request, made from the SDK's credentials without a network call", async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const before = Date.now();
  const { value, expiresMs } = await mskToken('eu-west-1')();
  const url = new URL(Buffer.from(value, 'base64url').toString());
  expect([url.hostname, url.searchParams.get('Action')]).toEqual(['kafka.eu-west-1.amazonaws.com', 'kafka-cluster:Connect']);
  expect(url.searchParams.get('X-Amz-Credential')).toContain('AKIDEXAMPLE/');
  // 15 minutes, in whole seconds.
  expect(expiresMs - before).toBeGreaterThan(890_000);
});
