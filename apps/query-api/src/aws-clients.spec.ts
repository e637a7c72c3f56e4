import { expect, it } from 'vitest';
import { awsClients } from './aws-clients.ts';

const place = { region: 'eu-central-1', endpoint: undefined, s3Endpoint: undefined, glueEndpoint: undefined, athenaEndpoint: undefined };

/** What a client's connections are opened with: the SDK keeps it to itself. */
async function connectMsOf(client: { readonly config: { readonly requestHandler: object } }): Promise<unknown> {
  const { connectionTimeout } = (await Reflect.get(client.config.requestHandler, 'configProvider')) as { readonly connectionTimeout?: number };
  return connectionTimeout;
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
