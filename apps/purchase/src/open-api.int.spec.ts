import { DocumentCheck } from '@millrace/contracts/testing';
import type { RunningService } from '@millrace/runtime';
import { TestTopic } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReadyPurchase } from './testing/purchase-client.ts';
import { seedPurchase } from './testing/seed-purchase.ts';

let topic: TestTopic;
let service: RunningService;
let check: DocumentCheck;

beforeAll(async () => {
  topic = await TestTopic.create('purchase-test');
  service = await startReadyPurchase({ KAFKA_BROKERS: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092', PURCHASE_TOPIC: topic.name });
  check = await DocumentCheck.of(service.url);
});
afterAll(async () => {
  await service?.close();
  await topic?.delete();
});

async function answerTo(method: string, path: string, body?: unknown): Promise<{ status: number; faults: string[] }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(service.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const { status } = response;
  return {
    status,
    faults: check.answerFaults({ method, path, status, contentType: response.headers.get('content-type'), body: await response.text() }),
  };
}

describe('the OpenAPI document of the purchase API', () => {
  it('describes exactly the routes of the service', () => {
    expect(check.routeFaults(service.routes)).toEqual([]);
  });

  it.each([
    ['a purchase', '/v1/purchases', seedPurchase(), 202],
    ['a wrong purchase', '/v1/purchases', seedPurchase({ userAge: 151 }), 400],
    ['broken JSON', '/v1/purchases', '{', 400],
    ['a large body', '/v1/purchases', seedPurchase({ title: 'x'.repeat(2_000_000) }), 413],
    ['a batch', '/v1/purchases/batch', [seedPurchase(), { title: 'Orlando' }], 202],
    ['a wrong batch', '/v1/purchases/batch', [{ title: 'Orlando' }], 400],
    ['an empty batch', '/v1/purchases/batch', [], 400],
  ])('describes the answer to %s', async (_what, path, body, status) => {
    expect(await answerTo('POST', path, body)).toEqual({ status, faults: [] });
  });

  it.each(['/health/ready', '/admin/pipelines', '/admin/pipelines/kafka', '/metrics'])('describes the answer of %s', async (path) => {
    expect(await answerTo('GET', path)).toEqual({ status: 200, faults: [] });
  });
});
