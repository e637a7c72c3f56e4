import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventReceipt, PurchaseRequest } from '../api-types.ts';
import { json, problem, ScriptedService, settle, type ScriptedAnswer } from '../testing/scripted-service.ts';
import { PurchaseClient } from './purchase-client.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const purchase: PurchaseRequest = {
  bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
  title: 'Orlando',
  author: 'Virginia Woolf',
  genre: 'Fiction',
  userId: 'test-user',
  userCountry: 'GB',
  userAge: 24,
  purchaseTimestamp: 1_575_121_641,
};

function clientOf(answers: readonly ScriptedAnswer[]): { service: ScriptedService; client: PurchaseClient } {
  const service = new ScriptedService(answers);
  let ids = 0;
  return { service, client: new PurchaseClient({ ...service.options, newEventId: () => `id-${(ids += 1)}` }) };
}

const inKafka = (eventId: string) => ({
  eventId,
  durability: 'kafka',
  topic: 't',
  partition: 1,
  offset: '7',
  links: { self: `/v1/purchases/${eventId}?partition=1&offset=7` },
});
const taken = (index: number, eventId: string) => {
  const { links: _links, ...place } = inKafka(eventId);
  return { index, status: 202, ...place };
};
const refused = (index: number, status: number, name: string) => ({
  index,
  status,
  problem: { type: `urn:millrace:problem:${name}`, title: name, status },
});

describe('PurchaseClient.post', () => {
  it('each attempt sends the same eventId', async () => {
    const { service, client } = clientOf([new TypeError('fetch failed'), problem(503, 'unavailable'), json(202, inKafka('id-1'))]);
    expect(await settle(client.post(purchase))).toEqual(inKafka('id-1'));
    expect(service.seen.map(({ path, body }) => [path, body])).toEqual(
      Array.from({ length: 3 }, () => ['/v1/purchases', { ...purchase, eventId: 'id-1' }]),
    );
  });

  it('the eventId of the caller is kept', async () => {
    const { service, client } = clientOf([json(202, inKafka('own'))]);
    await settle(client.post({ ...purchase, eventId: 'own' }));
    expect(service.seen[0]!.body).toMatchObject({ eventId: 'own' });
  });

  it('the service chooses the eventId when the caller gives an idempotency key', async () => {
    const { service, client } = clientOf([json(202, inKafka('from-key'))]);
    await settle(client.post(purchase, { idempotencyKey: 'order-17' }));
    expect(service.seen[0]).toMatchObject({ headers: { 'idempotency-key': 'order-17' }, body: purchase });
    expect(service.seen[0]!.body).not.toHaveProperty('eventId');
  });

  it('a purchase that breaks the contract fails with the problem of the service', async () => {
    const { client } = clientOf([problem(400, 'validation')]);
    await expect(settle(client.post(purchase))).rejects.toMatchObject({ code: 'problem', status: 400, retryable: false });
  });
});

describe('PurchaseClient.postBatch', () => {
  it('only purchases with a temporary failure are sent again, and the outcomes keep their order', async () => {
    const { service, client } = clientOf([
      json(202, { accepted: 1, rejected: 2, items: [taken(0, 'id-1'), refused(1, 400, 'validation'), refused(2, 503, 'unavailable')] }),
      json(202, { accepted: 1, rejected: 0, items: [taken(0, 'id-3')] }),
    ]);
    expect(await settle(client.postBatch([purchase, purchase, purchase]))).toMatchObject([
      { accepted: true, eventId: 'id-1', receipt: inKafka('id-1') },
      { accepted: false, eventId: 'id-2', error: { code: 'problem', status: 400 } },
      { accepted: true, eventId: 'id-3', receipt: inKafka('id-3') },
    ]);
    expect(service.seen.map(({ body }) => (body as { eventId: string }[]).map(({ eventId }) => eventId))).toEqual([
      ['id-1', 'id-2', 'id-3'],
      ['id-3'],
    ]);
  });

  it('the items of a 400 and a 503 answer are read', async () => {
    const { client } = clientOf([
      json(503, { accepted: 0, rejected: 1, items: [refused(0, 503, 'unavailable')] }, { 'retry-after': '1' }),
      json(400, { accepted: 0, rejected: 1, items: [refused(0, 400, 'validation')] }),
    ]);
    expect(await settle(client.postBatch([purchase]))).toMatchObject([{ accepted: false, error: { status: 400 } }]);
  });

  it('known outcomes are returned when a later attempt fails as a whole', async () => {
    const { client } = clientOf([
      json(202, { accepted: 1, rejected: 1, items: [taken(0, 'id-1'), refused(1, 503, 'unavailable')] }),
      problem(401, 'unauthenticated'),
    ]);
    expect(await settle(client.postBatch([purchase, purchase]))).toMatchObject([
      { accepted: true },
      { accepted: false, error: { status: 503, retryable: true } },
    ]);
  });

  it('the call fails when the service refuses the whole request', async () => {
    const { client } = clientOf([problem(413, 'body-too-large')]);
    await expect(settle(client.postBatch([purchase]))).rejects.toMatchObject({ code: 'problem', status: 413 });
  });
});

describe('PurchaseClient.follow', () => {
  const way = { eventId: 'id-1', status: 'in-kafka', unknown: [], links: { self: '' } };

  it('follow requests the link of a receipt, or the event by its id', async () => {
    const { service, client } = clientOf([json(200, way), json(200, way)]);
    expect(await settle(client.follow(inKafka('id-1') as EventReceipt))).toEqual(way);
    await settle(client.follow('id-1'));
    expect(service.seen.map(({ path }) => path)).toEqual(['/v1/purchases/id-1?partition=1&offset=7', '/v1/purchases/id-1']);
  });

  it('an unknown event fails with the problem of the service', async () => {
    const { client } = clientOf([problem(404, 'not-found')]);
    await expect(settle(client.follow('id-1'))).rejects.toMatchObject({ code: 'problem', status: 404, retryable: false });
  });
});
