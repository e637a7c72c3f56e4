import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { RunningService } from '@millrace/runtime';
import { TestTopic } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEachOnce, post, startReadyPurchase, type Answer } from './testing/purchase-client.ts';
import { seedPurchase } from './testing/seed-purchase.ts';

let topic: TestTopic;
let service: RunningService;

beforeAll(async () => {
  topic = await TestTopic.create('purchase-batch');
  service = await startReadyPurchase({ KAFKA_BROKERS: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092', PURCHASE_TOPIC: topic.name });
});
afterAll(async () => {
  await service?.close();
  await topic?.delete();
});

const path = '/v1/purchases/batch';
const linesOf = (items: readonly unknown[]): string => items.map((item) => JSON.stringify(item)).join('\n');

async function send(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return await post(service.url, body, { path, headers: { 'content-type': 'application/x-ndjson', ...headers } });
}

describe('a batch of NDJSON', () => {
  it.each([
    ['without compression', (text: string) => text, {}],
    ['with gzip', (text: string) => gzipSync(text), { 'content-encoding': 'gzip' }],
    ['with zstd', (text: string) => zstdCompressSync(text), { 'content-encoding': 'zstd' }],
  ] as const)('a batch of NDJSON %s has an answer for each line, and a bad line fails alone', async (_what, encode, headers) => {
    const good = JSON.stringify(seedPurchase({ userId: 'a' }));
    const { status, body } = await send(encode(`${good}\n\n{"title": \n${JSON.stringify({ title: 1 })}\n${good}`), headers);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      accepted: 2,
      rejected: 2,
      items: [
        { index: 0, status: 202 },
        { index: 1, status: 400, problem: { type: 'urn:millrace:problem:invalid-json', detail: 'Line 3 could not be parsed as JSON.' } },
        { index: 2, status: 400, problem: { type: 'urn:millrace:problem:validation' } },
        { index: 3, status: 202 },
      ],
    });
    expectEachOnce(body.items.filter((item) => item.status === 202) as never, await topic.messages());
  });

  it('a batch of NDJSON with only bad lines, or with none, is answered 400', async () => {
    expect((await send('{\n}')).status).toBe(400);
    expect((await send('\n')).body.errors).toEqual([{ field: '', message: 'must have at least 1 item', limit: 1 }]);
  });

  it('NDJSON is refused as the body of a single purchase', async () => {
    const answer = await post(service.url, '{}', { headers: { 'content-type': 'application/x-ndjson' } });
    expect([answer.status, answer.body.type]).toEqual([415, 'urn:millrace:problem:unsupported-media-type']);
  });
});

describe('a large batch', () => {
  it('a batch of 10,000 purchases in NDJSON with zstd, or as a JSON array, is taken whole and in order', async () => {
    const items = Array.from({ length: 10_000 }, (_, n) => seedPurchase({ userId: `user-${n % 97}`, title: `Title ${n}` }));
    const answers = [
      await send(zstdCompressSync(linesOf(items)), { 'content-encoding': 'zstd' }),
      await post(service.url, items, { path }),
    ];
    expect(answers.map(({ status, body }) => [status, body.accepted])).toEqual([
      [202, 10_000],
      [202, 10_000],
    ]);
    const messages = await topic.messages();
    for (const { body } of answers) {
      expect(body.items.map(({ index }) => index)).toEqual(items.map((_, n) => n));
      expectEachOnce(body.items as never, messages);
    }
  });

  it('a batch above 8 MiB is refused, also when its compressed body is small', async () => {
    const line = `${JSON.stringify({ title: 'x'.repeat(1000) })}\n`;
    const large = line.repeat(9000);
    for (const [body, headers] of [
      [large, {}],
      [gzipSync(large), { 'content-encoding': 'gzip' }],
      [zstdCompressSync(large), { 'content-encoding': 'zstd' }],
    ] as const) {
      const answer = await send(body, headers);
      expect([answer.status, answer.body.type]).toEqual([413, 'urn:millrace:problem:body-too-large']);
    }
    expect((await send('{}\n'.repeat(10_001))).body.errors).toEqual([
      { field: '', message: 'must have at most 10000 items', limit: 10_000 },
    ]);
  });
});
