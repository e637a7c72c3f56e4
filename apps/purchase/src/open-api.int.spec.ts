import { streams, type StreamList } from '@millrace/contracts';
import { bookViews, DocumentCheck } from '@millrace/contracts/testing';
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
  // A second stream, whose topic does not exist: the first one works.
  const list = [...streams, { ...bookViews, topic: { ...bookViews.topic, name: `${topic.name}-missing` } }];
  service = await startReadyPurchase({ KAFKA_BROKERS: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092', PURCHASE_TOPIC: topic.name }, list);
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

describe('the OpenAPI document', () => {
  it('the document describes exactly the routes of the service', () => {
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
  ])('the document describes the answer to %s', async (_what, path, body, status) => {
    expect(await answerTo('POST', path, body)).toEqual({ status, faults: [] });
  });

  it('the document describes the answer of a stream whose topic is missing', async () => {
    const view = { bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd', userId: 'ann', viewedAt: 1_575_121_641 };
    expect(await answerTo('POST', '/v1/book-views', view)).toEqual({ status: 503, faults: [] });
    expect(await answerTo('POST', '/v1/book-views', { ...view, price: 1 })).toEqual({ status: 400, faults: [] });
    const ready = (await (await fetch(`${service.url}/health/ready`)).json()) as { status: string; dependencies: { name: string }[] };
    expect(ready).toMatchObject({ status: 'degraded' });
    expect(ready.dependencies.find(({ name }) => name === 'stream-book-views')).toMatchObject({
      status: 'down',
      detail: expect.stringContaining('does not exist') as string,
    });
  });

  it('the document describes the answer for an unknown stream', async () => {
    expect(await answerTo('GET', '/v1/streams/sales/schema')).toEqual({ status: 404, faults: [] });
  });

  it('the document describes the list of the streams, with the path of each schema', async () => {
    const { streams: views } = (await (await fetch(`${service.url}/v1/streams`)).json()) as StreamList;
    expect(views.map(({ name, table, routes }) => [name, table, routes])).toEqual([
      ['purchases', 'purchases', ['/v1/purchases', '/v1/purchases/batch']],
      ['book-views', 'book_views', ['/v1/book-views', '/v1/book-views/batch']],
    ]);
    expect(await (await fetch(`${service.url}${views[1]!.schema}`)).json()).toMatchObject({ title: 'BookViewEvent' });
  });

  it.each(['/v1/streams', '/v1/streams/purchases/schema', '/health/ready', '/admin/pipelines', '/admin/pipelines/kafka', '/metrics'])(
    'the document describes the answer of %s',
    async (path) => {
      expect(await answerTo('GET', path)).toEqual({ status: 200, faults: [] });
    },
  );
});
