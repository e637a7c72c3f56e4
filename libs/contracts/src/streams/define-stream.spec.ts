import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { bookViews } from '../testing/book-views.ts';
import { validatorFor } from '../validator.ts';
import { defineStream, listStreams, type StreamDeclaration } from './define-stream.ts';
import { eventMakerOf } from './event-maker.ts';
import { epochSeconds, integer, text, uuid } from './fields.ts';
import { purchases } from './purchases.ts';
import { writeScopeOf } from './stream.ts';

const description = 'D';
const fields = {
  eventId: uuid({ fieldId: 1, description }),
  userId: text({ fieldId: 2, charactersMax: 9, description }),
  at: epochSeconds({ fieldId: 3, description }),
  price: Type.Optional(integer({ fieldId: 4, minimum: 0, maximum: 9, description })),
};
const declaration: StreamDeclaration<typeof fields> = {
  name: 'gift-cards',
  title: 'GiftCard',
  description: 'One gift card.',
  fields,
  eventType: 'gift-card.v1',
  topic: { name: 'gift-cards.v1', partitions: 2 },
  keyField: 'userId',
  database: 'bookstore',
  table: 'gift_cards',
  timeField: 'at',
  sortFields: ['userId'],
  contract: 'gift-cards.v1/1',
};

describe('defineStream', () => {
  const stream = defineStream(declaration);

  it('the schemas, the columns and the terms of documents follow from the declaration', () => {
    expect(stream.eventSchema).toMatchObject({ $id: 'urn:millrace:schema:gift-card-event:v1', title: 'GiftCardEvent' });
    expect(stream.eventSchema.required).toEqual(['eventId', 'userId', 'at']);
    expect(stream.requestSchema).toMatchObject({ title: 'GiftCardRequest', additionalProperties: false, required: ['userId', 'at'] });
    expect(stream.columns.map(({ name, type, fieldId }) => [name, type, fieldId])).toEqual([
      ['event_id', 'string', 1],
      ['user_id', 'string', 2],
      ['at', 'timestamp', 3],
      ['price', 'int', 4],
    ]);
    expect([stream.noun, stream.sortColumns, writeScopeOf(stream)]).toEqual(['gift card', ['user_id'], 'gift-cards:write']);
  });

  it('a stream seals at 64 MiB or 60 s unless its declaration gives hints', () => {
    expect(stream.buffering).toEqual({ flushBytes: 67_108_864, flushSeconds: 60 });
    expect(defineStream({ ...declaration, buffering: { flushSeconds: 5 } }).buffering).toEqual({ flushBytes: 67_108_864, flushSeconds: 5 });
  });

  it('files are compressed with zstd unless the declaration names another codec', () => {
    expect(stream.fileCodec).toBe('zstd');
    expect(defineStream({ ...declaration, fileCodec: 'snappy' }).fileCodec).toBe('snappy');
  });

  it('the topic keeps its events without limit, because it is the source of truth', () => {
    expect(stream.topic.config).toMatchObject({
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'cleanup.policy': 'delete',
      'message.timestamp.type': 'LogAppendTime',
    });
  });
});

describe('an invalid declaration', () => {
  it.each<[string, Partial<Record<keyof StreamDeclaration<typeof fields>, unknown>>, string]>([
    ['a name with capitals', { name: 'giftCards' }, 'the name "giftCards" must be lower-case words with hyphens'],
    ['the name of the list', { name: 'streams' }, 'the name "streams" is taken'],
    ['a title that is the plural', { title: 'GiftCards' }, 'the title "GiftCards" must be the singular of the name "gift-cards"'],
    [
      'a topic with a space',
      { topic: { name: 'a b', partitions: 2 }, contract: 'a b/1' },
      'the topic "a b" must be a name that Kafka accepts',
    ],
    ['no partition', { topic: { name: 'gift-cards.v1', partitions: 0 } }, 'the topic has 0 partitions and must have 1 to 1,000'],
    ['a table in capitals', { table: 'Gifts' }, 'the table "Gifts" must be lower-case letters, digits and underscores'],
    ['a contract of another topic', { contract: 'other/1' }, 'the contract "other/1" must begin with "gift-cards.v1/"'],
    ['an unknown key', { keyField: 'bookId' }, 'keyField names "bookId", which is not a field'],
    ['a key that is a number', { keyField: 'at' }, 'keyField names "at", which must be a required string'],
    ['an optional time', { timeField: 'price' }, 'timeField names "price", which must be a required integer'],
    ['an unknown sort field', { sortFields: ['userId', 'book'] }, 'sortFields names "book", which is not a field'],
    ['no sort field', { sortFields: [] }, 'sortFields is empty'],
    ['no identity', { fields: { userId: fields.userId, at: fields.at } }, 'the field "eventId" is missing'],
    [
      'an optional identity',
      { fields: { ...fields, eventId: Type.Optional(fields.eventId) } },
      'the field "eventId" must be a required UUID',
    ],
    [
      'a field id used twice',
      { fields: { ...fields, price: integer({ fieldId: 2, minimum: 0, maximum: 9, description }) } },
      'the fields "userId" and "price" share the x-field-id 2',
    ],
    [
      'the field id of a hidden column',
      { fields: { ...fields, price: integer({ fieldId: 1002, minimum: 0, maximum: 9, description }) } },
      'the fields "_offset" and "price" share the x-field-id 1002',
    ],
    ['a delivery stream that Firehose does not allow', { deliveryStream: 'a b' }, 'the delivery stream "a b" must be letters'],
    ['a field without id', { fields: { ...fields, price: Type.Integer() } }, 'the field "price" needs an x-field-id'],
    ['the partition key as a field', { fields: { ...fields, dt: text({ fieldId: 5, charactersMax: 9, description }) } }, 'the column "dt"'],
    [
      'a field without a column type',
      { fields: { ...fields, tags: Type.Array(Type.String(), { 'x-field-id': 6 }) } },
      'which has no column type',
    ],
    [
      'a time that is not marked',
      { fields: { ...fields, at: integer({ fieldId: 3, minimum: 0, maximum: 9, description }) } },
      'x-column-type timestamp',
    ],
  ])('a declaration with %s is refused with the reason', (_what, change, sentence) => {
    const invalid = { ...declaration, ...change } as StreamDeclaration<typeof fields>;
    expect(() => defineStream(invalid)).toThrow(TypeError);
    expect(() => defineStream(invalid)).toThrow(sentence);
  });

  it('the error names all problems of a declaration at once', () => {
    const invalid = { ...declaration, table: 'X', keyField: 'none' } as unknown as typeof declaration;
    expect(() => defineStream(invalid)).toThrow(/^Invalid stream "gift-cards": the table "X" .*; keyField names "none"/);
  });
});

describe('listStreams', () => {
  it('the list keeps its order', () => {
    expect(listStreams([purchases, bookViews]).map(({ name }) => name)).toEqual(['purchases', 'book-views']);
  });

  it.each([
    ['name', { name: purchases.name }, 'purchases'],
    ['topic', { topic: purchases.topic }, 'bookstore.purchases.v1'],
    ['table', { table: purchases.table }, 'purchases'],
    ['title', { title: purchases.title }, 'Purchase'],
    ['event type', { eventType: purchases.eventType }, 'com.millrace.bookstore.purchase.v1'],
    ['delivery stream', { deliveryStream: purchases.deliveryStream! }, 'books-purchase-stream'],
  ])('two streams with one %s are refused', (what, change, value) => {
    expect(() => listStreams([purchases, { ...bookViews, ...change }])).toThrow(`Two streams have the ${what} "${value}"`);
  });
});

describe('eventMakerOf', () => {
  const make = eventMakerOf(bookViews);
  const request = { viewedAt: 1_575_121_641, userId: 'ann', bookId: 'EC437D98-455D-4FEC-8DBE-2C2630454BDD' };

  it('the event has its fields in wire order, an id, and UUIDs in lower case', () => {
    expect(JSON.stringify(make(request, () => 'AAAAAAAA-0000-7000-8000-00000000000A'))).toBe(
      '{"eventId":"aaaaaaaa-0000-7000-8000-00000000000a","bookId":"ec437d98-455d-4fec-8dbe-2c2630454bdd","userId":"ann","viewedAt":1575121641}',
    );
  });

  it('the event keeps an optional field and the id that the client gave', () => {
    const given = { ...request, eventId: 'BBBBBBBB-0000-7000-8000-00000000000B', referrer: '/home' };
    const event = make(given, () => 'unused');
    expect(event).toMatchObject({ eventId: 'bbbbbbbb-0000-7000-8000-00000000000b', referrer: '/home' });
    expect(validatorFor(bookViews.eventSchema).violations(event)).toEqual([]);
  });
});
