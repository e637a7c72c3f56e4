import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetTableCommand } from '@aws-sdk/client-glue';
import { purchases } from '@millrace/contracts';
import { afterAll, expect, it } from 'vitest';
import { GlueCatalog, glueClient } from './glue-catalog.ts';

const client = glueClient();
const database = `lake_${randomUUID().replaceAll('-', '_')}`;
let guarded = 0;
const catalog = new GlueCatalog(
  client,
  purchases,
  'some-bucket',
  async (run, signal) => {
    guarded += 1;
    return await run(signal);
  },
  database,
);

afterAll(() => client.destroy());

it('ensureTable creates database and table, updates the columns to the contract, and is idempotent', async () => {
  await catalog.ensureTable();
  await catalog.ensureTable();
  expect(guarded).toBe(4);
  const { Table } = await client.send(new GetTableCommand({ DatabaseName: database, Name: 'purchases' }));
  expect(Table?.StorageDescriptor?.Columns?.map(({ Name, Type }) => [Name, Type])).toEqual(
    purchases.columns.map(({ name, type }) => [name, type]),
  );
  expect(Table?.PartitionKeys?.map(({ Name, Type }) => [Name, Type])).toEqual([['dt', 'string']]);
  expect(Table?.StorageDescriptor?.Location).toBe('s3://some-bucket/purchases/');
});

it('register adds any number of partitions, 100 per request, and keeps existing ones', async () => {
  const values = Array.from({ length: 230 }, (_, n) => new Date(n * 86_400_000).toISOString().slice(0, 10));
  guarded = 0;
  await catalog.register(values.slice(0, 3));
  await catalog.register(values);
  expect(guarded).toBe(1 + 3);
  const partitions = await catalog.partitions();
  expect(partitions.toSorted((a, b) => (a.value < b.value ? -1 : 1))).toEqual(
    values.map((value) => ({ value, location: `s3://some-bucket/purchases/dt=${value}/` })),
  );
});

// The emulator registers partitions of tables that are not there, so Glue's refusals come from a server of our own.
it('an error has the reason of Glue, for a whole request or for one partition', async () => {
  const answers = [
    [400, { __type: 'EntityNotFoundException', Message: 'no such table' }],
    [
      200,
      {
        Errors: [
          { PartitionValues: ['2019-12-01'], ErrorDetail: { ErrorCode: 'AlreadyExistsException' } },
          { PartitionValues: ['2019-11-30'], ErrorDetail: { ErrorCode: 'ResourceNumberLimitExceededException', ErrorMessage: 'too many' } },
        ],
      },
    ],
    [400, { __type: 'AccessDeniedException', Message: 'no' }],
  ] as const;
  let requests = 0;
  const server = createServer((request, response) => {
    const [status, body] = answers[requests]!;
    requests += 1;
    request
      .resume()
      .on('end', () => response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const refusing = glueClient({}, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    const refused = new GlueCatalog(refusing, purchases, 'b');
    await expect(refused.register(['2019-11-30'])).rejects.toThrow(
      'Glue: register 2019-11-30 failed: EntityNotFoundException: no such table',
    );
    await expect(refused.register(['2019-11-30', '2019-12-01'])).rejects.toThrow(
      'Glue did not register 2019-11-30: ResourceNumberLimitExceededException too many',
    );
    await expect(refused.partitions()).rejects.toMatchObject({ code: 'denied', retryable: true });
    expect(requests).toBe(3);
  } finally {
    refusing.destroy();
    server.close();
  }
});

it('a refused connection is reported as unavailable', async () => {
  const nowhere = glueClient({}, { endpoint: 'http://127.0.0.1:1' });
  await expect(new GlueCatalog(nowhere, purchases, 'b').partitions()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  nowhere.destroy();
});
