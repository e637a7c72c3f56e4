import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { awsAccessFrom, resolveS3Access, type S3Access } from './aws-access.ts';

afterEach(() => vi.unstubAllEnvs());

async function s3AccessOf(env: Readonly<Record<string, string>>): Promise<S3Access> {
  return await resolveS3Access(awsAccessFrom(env));
}

describe('s3AccessOf', () => {
  it('the access comes from the environment, and the endpoint of S3 precedes the general one', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_ENDPOINT_URL: 'http://aws:1' };
    expect(await s3AccessOf({ ...keys, AWS_ENDPOINT_URL_S3: 'http://s3:2' })).toMatchObject({
      region: 'us-east-1',
      accessKeyId: 'key',
      secretAccessKey: 'secret',
      endpoint: 'http://s3:2',
    });
    expect(await s3AccessOf({ ...keys, AWS_REGION: 'eu-west-1' })).toMatchObject({ region: 'eu-west-1', endpoint: 'http://aws:1' });
  });

  it('the access comes from the profile that the environment names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aws-'));
    writeFileSync(join(folder, 'config'), '[profile work]\nregion = ap-south-1\naws_access_key_id = key\naws_secret_access_key = secret\n');
    for (const key of ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(key, undefined);
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
    vi.stubEnv('AWS_PROFILE', 'work');
    expect(await s3AccessOf({ AWS_PROFILE: 'work' })).toMatchObject({
      region: 'ap-south-1',
      accessKeyId: 'key',
      secretAccessKey: 'secret',
    });
    rmSync(folder, { recursive: true });
  });
});
