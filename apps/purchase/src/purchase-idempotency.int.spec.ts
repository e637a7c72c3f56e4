import { anonymous, type RunningService } from '@millrace/runtime';
import { FaultProxy, TestTopic } from '@millrace/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventIdOfKey } from './idempotency/event-id-of-key.ts';
import { post, startReadyPurchase, type Answer } from './testing/purchase-client.ts';
import { seedPurchase } from './testing/seed-purchase.ts';

const brokers = process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092';
let topic: TestTopic;
let redis: FaultProxy;
let services: RunningService[];

beforeAll(async () => {
  topic = await TestTopic.create('purchase-keys');
  redis = await FaultProxy.start({ protocol: 'tcp', target: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' });
  const env = {
    KAFKA_BROKERS: brokers,
    PURCHASE_TOPIC: topic.name,
    REDIS_URL: redis.url,
    // Long enough for a busy machine.
    PURCHASE_RECEIPTS_ATTEMPT_TIMEOUT_MS: '2000',
    PURCHASE_RECEIPTS_TOTAL_TIMEOUT_MS: '2000',
    PURCHASE_RECEIPTS_BREAKER_BREAK_DURATION_MS: '200',
  };
  services = await Promise.all([startReadyPurchase(env), startReadyPurchase(env)]);
});
afterAll(async () => {
  await Promise.all((services ?? []).map(async (service) => await service.close()));
  await redis?.close();
  await topic?.delete();
});

async function send(key: string, body: unknown, { instance = 0, path = '/v1/purchases' } = {}): Promise<Answer> {
  return await post(services[instance]!.url, body, { path, headers: { 'content-type': 'application/json', 'idempotency-key': key } });
}

const idOf = (key: string, index?: number): string => eventIdOfKey({ principal: anonymous, stream: 'purchases', key }, index);
const written = async (eventId: string): Promise<number> =>
  (await topic.messages()).filter(({ headers }) => headers['ce_id'] === eventId).length;
const receiptOf = ({ headers }: Answer): (string | null)[] => [headers.get('idempotent-replayed'), headers.get('idempotency-receipt')];

describe('a purchase with an Idempotency-Key', () => {
  it('a purchase that is repeated on another instance gets the first receipt, and is in the topic once', async () => {
    const key = crypto.randomUUID();
    const first = await send(key, seedPurchase());
    expect([first.status, first.body.eventId, ...receiptOf(first)]).toEqual([202, idOf(key), null, null]);
    const second = await send(key, seedPurchase(), { instance: 1 });
    expect([second.status, second.body, ...receiptOf(second)]).toEqual([202, first.body, 'true', null]);
    expect(await written(idOf(key))).toBe(1);
  });

  it('a purchase with another body under a used key is answered 422', async () => {
    const key = crypto.randomUUID();
    await send(key, seedPurchase());
    const other = await send(key, seedPurchase({ userAge: 25 }), { instance: 1 });
    expect([other.status, other.body]).toMatchObject([422, { type: 'urn:millrace:problem:idempotency-conflict' }]);
    expect((await send(key, [seedPurchase()], { path: '/v1/purchases/batch' })).status).toBe(422);
    expect(await written(idOf(key))).toBe(1);
  });

  it('a purchase that arrives many times at once gets one receipt', async () => {
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 12 }, async (_, n) => await send(key, seedPurchase(), { instance: n % 2 })));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
  });

  it('a purchase with a key keeps the eventId of its body', async () => {
    const eventId = crypto.randomUUID();
    expect((await send(crypto.randomUUID(), seedPurchase({ eventId }))).body.eventId).toBe(eventId);
  });

  it('a purchase that breaks the contract may be corrected under its key', async () => {
    const key = crypto.randomUUID();
    expect((await send(key, seedPurchase({ userAge: 151 }))).status).toBe(400);
    expect((await send(key, seedPurchase())).status).toBe(202);
  });

  it('a purchase with a malformed key is refused', async () => {
    const { status, body } = await send('a b', seedPurchase());
    expect([status, body.errors]).toEqual([
      400,
      [{ field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters', limit: 255 }],
    ]);
  });
});

describe('a batch with an Idempotency-Key', () => {
  it('a batch with a key gives each item the id of its place, and gets its first answer again', async () => {
    const key = crypto.randomUUID();
    const items = Array.from({ length: 20 }, (_, n) => (n === 3 ? { title: 1 } : seedPurchase({ userId: `u${n}` })));
    const first = await send(key, items, { path: '/v1/purchases/batch' });
    expect(first.body.items.filter(({ status }) => status === 202).map(({ eventId }) => eventId)).toEqual(
      items.flatMap((_, n) => (n === 3 ? [] : [idOf(key, n)])),
    );
    const second = await send(key, items, { path: '/v1/purchases/batch', instance: 1 });
    expect([second.status, second.body, ...receiptOf(second)]).toEqual([202, first.body, 'true', null]);
    expect(await written(idOf(key, 0))).toBe(1);
  });
});

describe('an Idempotency-Key without Redis', () => {
  it('a key still gives the same event id while Redis is down, and the answer says that no receipt is kept', async () => {
    const fault = await redis.inject({ kind: 'black-hole' });
    const key = crypto.randomUUID();
    const answers = [await send(key, seedPurchase()), await send(key, seedPurchase(), { instance: 1 })];
    await fault.clear();
    expect(answers.map((answer) => [answer.status, answer.body.eventId, ...receiptOf(answer)])).toEqual([
      [202, idOf(key), null, 'unavailable'],
      [202, idOf(key), null, 'unavailable'],
    ]);
    expect(await written(idOf(key))).toBe(2);
    const metrics = await (await fetch(`${services[0]!.url}/metrics`)).text();
    expect(metrics).toMatch(/millrace_purchase_idempotent_requests_total\{[^}]*result="unavailable"[^}]*\} [1-9]/);
    await expect.poll(async () => receiptOf(await send(crypto.randomUUID(), seedPurchase())), { timeout: 20_000 }).toEqual([null, null]);
  });
});
