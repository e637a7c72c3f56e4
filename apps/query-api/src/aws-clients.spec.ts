import { expect, it } from 'vitest';
import { awsClients } from './aws-clients.ts';

const place = { region: 'eu-central-1', endpoint: undefined, s3Endpoint: undefined, glueEndpoint: undefined, athenaEndpoint: undefined };

interface Limits {
  readonly connectionTimeout?: number;
  readonly socketTimeout?: number;
  readonly requestTimeout?: number;
}

/** What a client's requests are sent with: the SDK keeps it to itself. */
async function limitsOf(client: { readonly config: { readonly requestHandler: object } }): Promise<Limits> {
  return (await Reflect.get(client.config.requestHandler, 'configProvider')) as Limits;
}

async function connectMsOf(client: Parameters<typeof limitsOf>[0]): Promise<unknown> {
  return (await limitsOf(client)).connectionTimeout;
}

it('each client has the time to connect of its own pipeline, and tries nothing again by itself', async () => {
  const clients = awsClients({ ...place, connectTimeoutMs: { s3: 11, glue: 12, athena: 13 } });
  expect(await Promise.all([clients.s3, clients.glue, clients.athena].map(connectMsOf))).toEqual([11, 12, 13]);
  expect(await Promise.all([clients.s3, clients.glue, clients.athena].map(async ({ config }) => await config.maxAttempts()))).toEqual([1, 1, 1]);
  clients.destroy();
  const plain = awsClients(place);
  expect(await Promise.all([plain.s3, plain.glue, plain.athena].map(connectMsOf))).toEqual([2000, 2000, 2000]);
  plain.destroy();
});

it('each waits for an answer as long as its pipeline lets it, however long that is set', async () => {
  const clients = awsClients(place);
  const limits = await Promise.all([clients.s3, clients.glue, clients.athena].map(limitsOf));
  expect(limits.map(({ socketTimeout, requestTimeout }) => ({ socketTimeout, requestTimeout }))).toEqual(Array.from({ length: 3 }, () => ({ socketTimeout: 0, requestTimeout: undefined })));
  clients.destroy();
});
