import { purchases } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { BadLine } from '../batch/ndjson-lines.ts';
import { ClientPresence } from '../publish/client-presence.ts';
import type { Delivery } from '../publish/delivery.ts';
import type { EventMessage } from '../publish/event-message.ts';
import { seedPurchase, seedText } from '../testing/seed-purchase.ts';
import { EventService, statusOfBatch, verdictOfBatch } from './event-service.ts';

const limits = { client: new ClientPresence(), deadline: 0 };
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
const madeId = '0199f2a0-0000-7000-8000-000000000001';

type Deliver = (message: EventMessage, index: number) => Delivery;
const writes: Deliver = ({ eventId, partition }, index) => ({ kind: 'written', eventId, partition, offset: 2n ** 53n + BigInt(index) });
const fails =
  (reason: Extract<Delivery, { kind: 'failed' }>['reason']): Deliver =>
  ({ eventId }) => ({ kind: 'failed', eventId, reason });

const idOfPlace = (index: number): string => `0199f2a0-0000-8000-8000-00000000000${index}`;

function serviceThat(deliver: Deliver): { service: EventService; published: EventMessage[]; invalid: () => number } {
  const published: EventMessage[] = [];
  let invalid = 0;
  const service = new EventService({
    publisher: {
      async publish(messages) {
        published.push(...messages);
        return await Promise.resolve(messages.map(deliver));
      },
    },
    stream: { ...purchases, topic: { ...purchases.topic, name: 'purchases' } },
    batchItemsMax: 5,
    newEventId: () => madeId,
    onInvalid: () => {
      invalid += 1;
    },
  });
  return { service, published, invalid: () => invalid };
}

describe('a purchase', () => {
  it("a purchase in the article's form gets an id and a receipt with the offset as a string", async () => {
    const { service } = serviceThat(writes);
    expect(await service.take(JSON.parse(seedText), traceparent, limits)).toEqual({
      eventId: madeId,
      durability: 'kafka',
      topic: 'purchases',
      partition: 1,
      offset: '9007199254740992',
      links: { self: `/v1/purchases/${madeId}?partition=1&offset=9007199254740992` },
    });
  });

  it("a purchase keeps its caller's id, in lower case", async () => {
    const { service, published } = serviceThat(writes);
    const receipt = await service.take(
      seedPurchase({ eventId: 'AAAAAAAA-0000-4000-8000-00000000000A', bookId: 'EC437D98-455D-4FEC-8DBE-2C2630454BDD' }),
      traceparent,
      limits,
    );
    expect(receipt.eventId).toBe('aaaaaaaa-0000-4000-8000-00000000000a');
    expect(JSON.parse(published[0]!.value.toString())).toMatchObject({
      eventId: receipt.eventId,
      bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    });
  });

  it.each([
    ['no value', undefined, [{ field: '', message: 'must be of type object' }]],
    ['null in place of an object', null, [{ field: '', message: 'must be of type object' }]],
    ['a list in place of an object', [], [{ field: '', message: 'must be of type object' }]],
    ['a missing field', seedPurchase({ title: undefined }), [{ field: 'title', message: 'is required' }]],
    ['an unknown field', seedPurchase({ price: 9 }), [{ field: 'price', message: 'is not a known field' }]],
    [
      'an unknown field with a very long name',
      seedPurchase({ ['x'.repeat(5000)]: 9 }),
      [{ field: `${'x'.repeat(128)}…`, message: 'is not a known field' }],
    ],
    ['a number as text', seedPurchase({ userAge: '24' }), [{ field: 'userAge', message: 'must be of type integer' }]],
    ['an age above the limit', seedPurchase({ userAge: 151 }), [{ field: 'userAge', message: 'must be at most 150', limit: 150 }]],
    ['an age of 24.5 years', seedPurchase({ userAge: 24.5 }), [{ field: 'userAge', message: 'must be of type integer' }]],
    ['a book id that is not a UUID', seedPurchase({ bookId: 'Orlando' }), [{ field: 'bookId', message: 'must be a UUID' }]],
    [
      'a title that is too long',
      seedPurchase({ title: 'x'.repeat(1025) }),
      [{ field: 'title', message: 'must be at most 1024 characters long', limit: 1024 }],
    ],
    ['a buyer without a name', seedPurchase({ userId: '' }), [{ field: 'userId', message: 'must be at least 1 character long', limit: 1 }]],
    [
      'a time in milliseconds',
      seedPurchase({ purchaseTimestamp: 1_575_121_641_000 }),
      [{ field: 'purchaseTimestamp', message: 'must be at most 4102444799', limit: 4_102_444_799 }],
    ],
    [
      'a date in place of a time',
      seedPurchase({ purchaseTimestamp: '2019-11-30' }),
      [{ field: 'purchaseTimestamp', message: 'must be of type integer' }],
    ],
  ])('a body with %s is refused with the field and the limit, and is not published', async (_what, body, errors) => {
    const { service, published, invalid } = serviceThat(writes);
    await expect(service.take(body, traceparent, limits)).rejects.toMatchObject({
      code: 'validation',
      retryable: false,
      details: { errors },
    });
    expect([published.length, invalid()]).toEqual([0, 1]);
  });

  it('a purchase with two violations is answered with both', async () => {
    const { service } = serviceThat(writes);
    await expect(service.take(seedPurchase({ genre: '', price: 9 }), traceparent, limits)).rejects.toMatchObject({
      message: 'price is not a known field. There is 1 more problem.',
    });
  });

  it('a purchase with very many violations is answered with the first ones and their number', async () => {
    const { service } = serviceThat(writes);
    const body = seedPurchase(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`field${n}`, n])));
    const error: unknown = await service.take(body, traceparent, limits).catch((one: unknown) => one);
    expect(error).toMatchObject({
      code: 'validation',
      message: 'field0 is not a known field. There are 4999 more problems; the first 20 are listed.',
    });
    expect((error as { details: { errors: unknown[] } }).details.errors).toHaveLength(20);
  });

  it.each([
    ['overloaded', 'overloaded', 503, 1],
    ['unavailable', 'unavailable', 503, 2],
    ['unknown', 'unavailable', 503, 1],
    ['expired', 'deadline-exceeded', 504, 1],
    ['stopping', 'unavailable', 503, 1],
    ['too-large', 'event-too-large', 413, undefined],
    ['refused', 'internal', 500, undefined],
  ] as const)(
    'a purchase whose delivery fails as %s is answered %s, with the event id for a repetition',
    async (reason, code, status, retryAfterSeconds) => {
      const { service } = serviceThat(fails(reason));
      const error = await service.take(seedPurchase(), traceparent, limits).catch((one: unknown) => one as { toProblem(): unknown });
      expect((error as { toProblem(): unknown }).toProblem()).toMatchObject({
        type: `urn:millrace:problem:${code}`,
        status,
        eventId: madeId,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      });
    },
  );
});

describe('a batch', () => {
  it('a batch has an answer for every item, in order, and publishes the good ones', async () => {
    const { service, published } = serviceThat((message, index) =>
      index === 1 ? fails('unknown')(message, index) : writes(message, index),
    );
    const ids = ['1', '2', '3'].map((digit) => `0199f2a0-0000-7000-8000-00000000000${digit}`);
    const answer = await service.takeBatch(
      [seedPurchase({ eventId: ids[0] }), { title: 1 }, seedPurchase({ eventId: ids[1] }), seedPurchase({ eventId: ids[2] })],
      traceparent,
      limits,
    );
    expect(answer).toMatchObject({
      accepted: 2,
      rejected: 2,
      items: [
        { index: 0, status: 202, eventId: ids[0], partition: 1, offset: '9007199254740992' },
        { index: 1, status: 400, problem: { type: 'urn:millrace:problem:validation' } },
        { index: 2, status: 503, eventId: ids[1], problem: { type: 'urn:millrace:problem:unavailable', retryAfterSeconds: 1 } },
        { index: 3, status: 202, eventId: ids[2], offset: '9007199254740994' },
      ],
    });
    expect(published.map(({ eventId }) => eventId)).toEqual(ids);
    expect(statusOfBatch(answer)).toBe(202);
  });

  it('a batch rejects a line that is not JSON with its number, and counts it', async () => {
    const { service, invalid } = serviceThat(writes);
    const answer = await service.takeBatch([seedPurchase(), new BadLine(7)], traceparent, limits);
    expect(answer).toMatchObject({
      accepted: 1,
      items: [
        { status: 202 },
        { index: 1, status: 400, problem: { type: 'urn:millrace:problem:invalid-json', detail: 'Line 7 could not be parsed as JSON.' } },
      ],
    });
    expect(invalid()).toBe(1);
  });

  it('a batch gives each item without an id the id of its place', async () => {
    const { service, published } = serviceThat(writes);
    await service.takeBatch([seedPurchase(), { title: 1 }, seedPurchase()], traceparent, limits, idOfPlace);
    expect(published.map(({ eventId }) => eventId)).toEqual([idOfPlace(0), idOfPlace(2)]);
  });

  it('a batch runs again under its key only while a repetition could save an item', async () => {
    const bad = { title: 1 };
    const verdictOf = async (deliver: Deliver, items: unknown[]): Promise<string> =>
      verdictOfBatch(await serviceThat(deliver).service.takeBatch(items, traceparent, limits));
    expect(await verdictOf(writes, [bad, seedPurchase()])).toBe('keep');
    expect(await verdictOf(writes, [bad])).toBe('release');
    const half: Deliver = (message, index) => (index === 0 ? writes : fails('unknown'))(message, index);
    expect(await verdictOf(half, [seedPurchase(), seedPurchase()])).toBe('repeat');
  });

  it('a batch is answered 400 when no item is good, and 503 when a repetition could save one', async () => {
    const bad = { title: 1 };
    expect(statusOfBatch(await serviceThat(writes).service.takeBatch([bad, bad], traceparent, limits))).toBe(400);
    expect(statusOfBatch(await serviceThat(fails('unavailable')).service.takeBatch([bad, seedPurchase()], traceparent, limits))).toBe(503);
    expect(statusOfBatch(await serviceThat(fails('too-large')).service.takeBatch([bad, seedPurchase()], traceparent, limits))).toBe(400);
  });

  it.each([
    ['an object', seedPurchase(), 'The batch must be of type array.'],
    ['empty', [], 'The batch must have at least 1 item.'],
    ['too long', Array.from({ length: 6 }, () => seedPurchase()), 'The batch must have at most 5 items.'],
  ])('a batch that is %s is refused as a whole', async (_what, body, message) => {
    const { service, published } = serviceThat(writes);
    await expect(service.takeBatch(body, traceparent, limits)).rejects.toMatchObject({ code: 'validation', message });
    expect(published).toEqual([]);
  });
});
