import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FirehoseClient, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose';
import { purchases } from '@millrace/contracts';
import { DocumentCheck } from '@millrace/contracts/testing';
import { createLogger, startService, type RunningService } from '@millrace/runtime';
import { TestTopic, waitUntil, withoutShedding } from '@millrace/testing';
import AWS from 'aws-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPurchaseConfig } from '../config.ts';
import { serviceOptions } from '../service-options.ts';
import { seedPurchase, seedText } from '../testing/seed-purchase.ts';

const stream = purchases.deliveryStream!;
const credentials = { accessKeyId: 'AKIDPRODUCER', secretAccessKey: 'a secret of the producers of books' };
const apiKey = 'key-of-an-operator';

let topic: TestTopic;
let service: RunningService;
let folder: string;

// Authentication is on, so each request must be signed.
beforeAll(async () => {
  topic = await TestTopic.create('firehose');
  folder = mkdtempSync(join(tmpdir(), 'firehose-'));
  const path = join(folder, 'keys.json');
  writeFileSync(path, JSON.stringify({ keys: [credentials] }));
  const config = readPurchaseConfig({
    LOG_LEVEL: 'error',
    KAFKA_BROKERS: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092',
    PURCHASE_TOPIC: topic.name,
    ...withoutShedding('PURCHASE'),
    PURCHASE_FIREHOSE_KEYS_FILE: path,
    MILLRACE_AUTH_API_KEYS: `operator:${createHash('sha256').update(apiKey).digest('hex')}:admin`,
  });
  const logger = createLogger({ name: 'purchase', level: config.LOG_LEVEL });
  service = await startService({ ...serviceOptions(config, logger), port: 0 });
  await waitUntil('purchase to be ready', async () => (await fetch(`${service.url}/health/ready`)).ok, { timeoutMs: 30_000 });
});
afterAll(async () => {
  await service?.close();
  await topic?.delete();
  rmSync(folder, { recursive: true, force: true });
});

function clientV3(more: object = {}): FirehoseClient {
  return new FirehoseClient({ endpoint: service.url, region: 'eu-west-1', credentials, maxAttempts: 1, ...more });
}

function record(more: Readonly<Record<string, unknown>>): { Data: Buffer } {
  return { Data: Buffer.from(JSON.stringify(seedPurchase(more))) };
}

async function titlesOf(...ids: readonly string[]): Promise<unknown[]> {
  const messages = await topic.messages();
  return ids.map((id) => {
    const message = messages.find(({ headers }) => headers['ce_id'] === id);
    return message === undefined ? undefined : (JSON.parse(message.value) as { title: string }).title;
  });
}

describe('aws-sdk v2', () => {
  it("the article's Lambda puts its record with aws-sdk v2 after a change of the endpoint only", async () => {
    // A Lambda gets region and credentials from its environment.
    AWS.config.update({ region: 'eu-west-1', credentials });
    const firehose = new AWS.Firehose({ endpoint: service.url });
    const handler = async (event: object): Promise<AWS.Firehose.PutRecordOutput> => {
      const params = { DeliveryStreamName: 'books-purchase-stream', Record: { Data: `${JSON.stringify(event)}\n` } };
      return await firehose.putRecord(params).promise();
    };
    const { RecordId, Encrypted } = await handler(JSON.parse(seedText) as object);
    expect(Encrypted).toBe(false);
    expect(await titlesOf(RecordId)).toEqual(['Orlando']);
  });

  it('aws-sdk v2 reads the exception of a stream that does not exist', async () => {
    const firehose = new AWS.Firehose({ endpoint: service.url, region: 'eu-west-1', credentials });
    const put = firehose.putRecord({ DeliveryStreamName: 'other-stream', Record: { Data: seedText } }).promise();
    await expect(put).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      statusCode: 400,
      message: expect.stringContaining(stream) as string,
    });
  });
});

describe('@aws-sdk/client-firehose', () => {
  it('@aws-sdk/client-firehose puts a record, and a batch with one wrong record', async () => {
    const client = clientV3();
    const one = await client.send(new PutRecordCommand({ DeliveryStreamName: stream, Record: record({ title: 'One' }) }));
    const batch = await client.send(
      new PutRecordBatchCommand({
        DeliveryStreamName: stream,
        Records: [record({ title: 'Two' }), record({ userAge: -1 }), record({ title: 'Three' })],
      }),
    );
    expect(batch).toMatchObject({
      FailedPutCount: 1,
      RequestResponses: [
        { RecordId: expect.any(String) as string },
        { ErrorCode: 'InvalidArgumentException', ErrorMessage: 'userAge must be at least 0.' },
        { RecordId: expect.any(String) as string },
      ],
    });
    const [two, , three] = batch.RequestResponses!;
    expect(await titlesOf(one.RecordId!, two!.RecordId!, three!.RecordId!)).toEqual(['One', 'Two', 'Three']);
    client.destroy();
  });

  it('@aws-sdk/client-firehose puts 500 records of 8 KiB, more than other requests may have', async () => {
    const client = clientV3();
    const Data = Buffer.from(JSON.stringify({ ...seedPurchase(), title: 'x'.repeat(1024) }).padEnd(8000));
    const { FailedPutCount } = await client.send(
      new PutRecordBatchCommand({ DeliveryStreamName: stream, Records: Array.from({ length: 500 }, () => ({ Data })) }),
    );
    expect(FailedPutCount).toBe(0);
    client.destroy();
  });

  it.each([
    [
      'a record that breaks the contract',
      {},
      { DeliveryStreamName: stream, Record: { Data: Buffer.from('{}') } },
      'InvalidArgumentException',
    ],
    ['an unknown stream', {}, { DeliveryStreamName: 'other', Record: { Data: Buffer.from(seedText) } }, 'ResourceNotFoundException'],
    [
      'an unknown access key',
      { credentials: { ...credentials, accessKeyId: 'AKIDOTHER' } },
      { DeliveryStreamName: stream, Record: { Data: Buffer.from(seedText) } },
      'UnrecognizedClientException',
    ],
    [
      'a wrong secret',
      { credentials: { ...credentials, secretAccessKey: 'another secret than theirs' } },
      { DeliveryStreamName: stream, Record: { Data: Buffer.from(seedText) } },
      'InvalidSignatureException',
    ],
  ])('@aws-sdk/client-firehose reads the exception of %s', async (_what, more, input, name) => {
    const client = clientV3(more);
    await expect(client.send(new PutRecordCommand(input))).rejects.toMatchObject({ name });
    client.destroy();
  });
});

describe('POST /', () => {
  it.each([
    ['without a signature', {}, '{}', 403, 'MissingAuthenticationTokenException'],
    ['with a bearer token', { authorization: `Bearer ${apiKey}` }, '{}', 403, 'IncompleteSignatureException'],
  ])('a request %s is refused as Firehose does, and the OpenAPI document has the answer', async (_what, more, body, status, type) => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Firehose_20150804.PutRecord', ...more };
    const response = await fetch(service.url, { method: 'POST', headers, body });
    const text = await response.text();
    expect([response.status, response.headers.get('x-amzn-errortype'), JSON.parse(text)]).toMatchObject([status, type, { __type: type }]);
    const check = await DocumentCheck.of(service.url);
    const contentType = response.headers.get('content-type');
    expect(check.answerFaults({ method: 'POST', path: '/', status, contentType, body: text })).toEqual([]);
  });

  it('the other routes still need a bearer token', async () => {
    const response = await fetch(`${service.url}/v1/purchases`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: seedText,
    });
    expect(response.status).toBe(401);
  });
});
