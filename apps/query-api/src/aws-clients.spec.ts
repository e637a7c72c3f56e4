import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { awsClients } from './aws-clients.ts';

const place = { region: 'eu-central-1', endpoint: undefined, s3Endpoint: undefined, glueEndpoint: undefined, athenaEndpoint: undefined };

afterEach(() => vi.unstubAllEnvs());

interface Limits {
  readonly connectionTimeout?: number;
  readonly socketTimeout?: number;
  readonly requestTimeout?: number;
}

/** The settings of a client's requests, which the SDK does not export. */
async function limitsOf(client: { readonly config: { readonly requestHandler: object } }): Promise<Limits> {
  return (await Reflect.get(client.config.requestHandler, 'configProvider')) as Limits;
}

async function connectMsOf(client: Parameters<typeof limitsOf>[0]): Promise<unknown> {
  return (await limitsOf(client)).connectionTimeout;
}

it('each client has the connect timeout of its pipeline, and retries nothing itself', async () => {
  const clients = awsClients({ ...place, connectTimeoutMs: { s3: 11, glue: 12, athena: 13 } });
  expect(await Promise.all([clients.s3, clients.glue, clients.athena].map(connectMsOf))).toEqual([11, 12, 13]);
  expect(await Promise.all([clients.s3, clients.glue, clients.athena].map(async ({ config }) => await config.maxAttempts()))).toEqual([
    1, 1, 1,
  ]);
  clients.destroy();
  const plain = awsClients(place);
  expect(await Promise.all([plain.s3, plain.glue, plain.athena].map(connectMsOf))).toEqual([2000, 2000, 2000]);
  plain.destroy();
});

it('each client waits for an answer as long as its pipeline lets it, however long that is', async () => {
  const clients = awsClients(place);
  const limits = await Promise.all([clients.s3, clients.glue, clients.athena].map(limitsOf));
  expect(limits.map(({ socketTimeout, requestTimeout }) => ({ socketTimeout, requestTimeout }))).toEqual(
    Array.from({ length: 3 }, () => ({ socketTimeout: 0, requestTimeout: undefined })),
  );
  clients.destroy();
});

it('a profile gives region and credentials to the clients when no region is set', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aws-'));
  writeFileSync(join(folder, 'config'), '[profile work]\nregion = ap-south-1\naws_access_key_id = key\naws_secret_access_key = secret\n');
  for (const key of ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(key, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
  vi.stubEnv('AWS_PROFILE', 'work');
  const clients = awsClients({ ...place, region: undefined });
  expect(await Promise.all([clients.s3, clients.glue, clients.athena].map(async ({ config }) => await config.region()))).toEqual([
    'ap-south-1',
    'ap-south-1',
    'ap-south-1',
  ]);
  expect(await clients.s3.config.credentials()).toMatchObject({ accessKeyId: 'key', secretAccessKey: 'secret' });
  clients.destroy();
  rmSync(folder, { recursive: true });
});

it('the region is us-east-1 when none is set anywhere', async () => {
  for (const key of ['AWS_REGION', 'AWS_PROFILE']) vi.stubEnv(key, undefined);
  for (const key of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(key, '/nowhere');
  const clients = awsClients({ ...place, region: undefined });
  expect(await clients.s3.config.region()).toBe('us-east-1');
  clients.destroy();
});
