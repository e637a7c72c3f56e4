import { FirehoseClient, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose';
import { problemOf, type BatchAnswer, type BatchItem } from '@millrace/contracts';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { Module } from '@nestjs/common';
import { afterEach, describe, expect, it } from 'vitest';
import type { AccessKeys } from './access-keys.ts';
import { FIREHOSE, FirehoseController, type FirehoseParts } from './firehose.controller.ts';

const credentials = { accessKeyId: 'AKIDPRODUCER', secretAccessKey: 'a secret of the producers of books' };
const stream = 'books-purchase-stream';
const record = (value: unknown): { Data: Buffer } => ({ Data: Buffer.from(JSON.stringify(value)) });

/** A service that takes each event with an id and refuses the others for now. */
class FakeService {
  readonly taken: unknown[] = [];

  async takeBatch(body: unknown): Promise<BatchAnswer> {
    const items = (body as { id?: string }[]).map(({ id }, index): BatchItem => {
      if (id === undefined) return { index, status: 503, problem: problemOf('unavailable', { detail: 'Kafka is down.' }) };
      this.taken.push(id);
      return { index, status: 202, eventId: id, durability: 'disk' };
    });
    return await Promise.resolve({ accepted: 0, rejected: 0, items, links: { follow: '' } });
  }
}

let service: RunningService | undefined;
let client: FirehoseClient | undefined;
afterEach(async () => {
  client?.destroy();
  await service?.close();
});

async function start(accessKeys?: AccessKeys): Promise<{ client: FirehoseClient; fake: FakeService }> {
  const fake = new FakeService();
  const parts: FirehoseParts = {
    services: new Map([[stream, fake]]),
    accessKeys,
    requestMsMax: 1000,
    draw: (digits) => '1'.repeat(digits),
    now: Date.now,
  };
  @Module({ controllers: [FirehoseController], providers: [{ provide: FIREHOSE, useValue: parts }] })
  class FirehoseModule {}
  const logger = createLogger({ name: 'firehose', level: 'silent' });
  service = await startService({ name: 'firehose', module: FirehoseModule, port: 0, logger, bodyBytesMax: 1024 });
  client = new FirehoseClient({ endpoint: service.url, region: 'eu-west-1', credentials, maxAttempts: 1 });
  return { client, fake };
}

describe('FirehoseController', () => {
  it('the controller takes records of an AWS SDK, and reports each one that failed', async () => {
    const { client: sdk, fake } = await start();
    const one = await sdk.send(new PutRecordCommand({ DeliveryStreamName: stream, Record: record({ id: 'a' }) }));
    expect(one).toMatchObject({ RecordId: 'a', Encrypted: false });
    const batch = new PutRecordBatchCommand({
      DeliveryStreamName: stream,
      Records: [record({ id: 'b' }), record({}), { Data: Buffer.from('{') }],
    });
    expect(await sdk.send(batch)).toMatchObject({
      FailedPutCount: 2,
      RequestResponses: [
        { RecordId: 'b' },
        { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Kafka is down.' },
        { ErrorCode: 'InvalidArgumentException' },
      ],
    });
    expect(fake.taken).toEqual(['a', 'b']);
  });

  it('the controller takes bodies above the limit of other requests', async () => {
    const { client: sdk } = await start();
    const put = new PutRecordCommand({ DeliveryStreamName: stream, Record: record({ id: 'a', text: 'x'.repeat(900_000) }) });
    expect(await sdk.send(put)).toMatchObject({ RecordId: 'a' });
  });

  it('the controller answers with exceptions that an AWS SDK reads', async () => {
    const { client: sdk } = await start();
    const put = async (name: string, value: unknown): Promise<unknown> =>
      await sdk.send(new PutRecordCommand({ DeliveryStreamName: name, Record: record(value) }));
    await expect(put('other', { id: 'a' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(put(stream, {})).rejects.toMatchObject({
      name: 'ServiceUnavailableException',
      message: 'Kafka is down.',
      $metadata: { httpStatusCode: 503 },
    });
  });

  it('a controller with access keys takes only requests that a known key has signed', async () => {
    const { client: sdk } = await start(new Map([[credentials.accessKeyId, credentials.secretAccessKey]]));
    const put = new PutRecordCommand({ DeliveryStreamName: stream, Record: record({ id: 'a' }) });
    expect(await sdk.send(put)).toMatchObject({ RecordId: 'a' });
    const other = new FirehoseClient({
      endpoint: service!.url,
      region: 'eu-west-1',
      credentials: { ...credentials, secretAccessKey: 'another secret than theirs' },
      maxAttempts: 1,
    });
    await expect(other.send(put)).rejects.toMatchObject({ name: 'InvalidSignatureException', $metadata: { httpStatusCode: 403 } });
    other.destroy();
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Firehose_20150804.PutRecord' };
    const unsigned = await fetch(service!.url, { method: 'POST', headers, body: '{}' });
    expect([unsigned.status, unsigned.headers.get('x-amzn-errortype')]).toEqual([403, 'MissingAuthenticationTokenException']);
  });
});
