import { expect, it } from 'vitest';
import { sinkClients } from './aws-clients.ts';
import { readSinkConfig } from '../config.ts';

interface Limits {
  readonly connectionTimeout?: number;
  readonly socketTimeout?: number;
  readonly requestTimeout?: number;
}

/** The timeouts of a client's request handler, which the SDK does not expose. */
async function limitsOf(client: { readonly config: { readonly requestHandler: object } }): Promise<Limits> {
  const { connectionTimeout, socketTimeout, requestTimeout } = (await Reflect.get(
    client.config.requestHandler,
    'configProvider',
  )) as Limits;
  return {
    ...(connectionTimeout === undefined ? {} : { connectionTimeout }),
    ...(socketTimeout === undefined ? {} : { socketTimeout }),
    ...(requestTimeout === undefined ? {} : { requestTimeout }),
  };
}

it('each client uses the connect timeout of its pipeline, and sets no response timeout below it', async () => {
  const { s3, glue } = sinkClients(readSinkConfig({ SINK_S3_CONNECT_TIMEOUT_MS: '11', SINK_GLUE_CONNECT_TIMEOUT_MS: '12' }));
  expect(await Promise.all([s3, glue].map(limitsOf))).toEqual([
    { connectionTimeout: 11, socketTimeout: 0 },
    { connectionTimeout: 12, socketTimeout: 0 },
  ]);
  expect(await Promise.all([s3, glue].map(async ({ config }) => await config.maxAttempts()))).toEqual([1, 1]);
  s3.destroy();
  glue.destroy();
});
