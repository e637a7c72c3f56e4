import { asyncApiOf, purchases } from '@millrace/contracts';
import { describe, expect, it } from 'vitest';
import { schemaIncompatibilities, streamIncompatibilities, type JsonObject } from './compatibility.ts';

const published = {
  $id: 'urn:event:v1',
  type: 'object',
  required: ['id', 'age', 'tags', 'place'],
  properties: {
    id: { type: 'string', pattern: '^a', minLength: 1, maxLength: 9, 'x-field-id': 1, 'x-lower-case': true },
    age: { type: 'integer', minimum: 0, maximum: 150, 'x-field-id': 2 },
    kind: { type: 'string', enum: ['a', 'b'], 'x-field-id': 3 },
    ratio: { type: 'number', 'x-field-id': 5 },
    tags: { type: 'array', items: { type: 'string', maxLength: 5 }, maxItems: 3 },
    place: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } },
  },
};

/** New values by path. Undefined removes the member. */
type Change = Readonly<Record<string, unknown>>;

/** A copy of a document after a change. */
function after(document: JsonObject, change: Change): JsonObject {
  const copy = structuredClone(document) as Record<string, unknown>;
  for (const [path, value] of Object.entries(change)) {
    const names = path.split('/');
    const last = names.pop()!;
    const owner = names.reduce<Record<string, unknown>>((at, name) => at[name] as Record<string, unknown>, copy);
    if (value === undefined) Reflect.deleteProperty(owner, last);
    else owner[last] = value;
  }
  return copy;
}

describe('compatible changes of a schema', () => {
  it.each<[string, Change]>([
    ['no change', {}],
    ['a new optional field', { 'properties/price': { type: 'integer', minimum: 0, 'x-field-id': 4 } }],
    ['another description', { 'properties/age/description': 'Age' }],
    ['another order of the required fields', { required: ['place', 'tags', 'age', 'id'] }],
    ['unknown fields allowed in words', { additionalProperties: true }],
  ])('%s is compatible', (_what, change) => expect(schemaIncompatibilities(published, after(published, change))).toEqual([]));
});

describe('incompatible changes of a schema', () => {
  it.each<[string, Change, string]>([
    ['a removed field', { 'properties/kind': undefined }, 'kind: the field is removed.'],
    [
      'a renamed field',
      { 'properties/kind': undefined, 'properties/order': published.properties.kind },
      'order: the field id 3 belongs to kind.',
    ],
    [
      'a new required field',
      { 'properties/price': { type: 'integer' }, required: ['id', 'age', 'tags', 'place', 'price'] },
      'price: the new field is required. Old events lack it.',
    ],
    [
      'an optional field that becomes required',
      { required: ['id', 'age', 'tags', 'place', 'kind'] },
      'kind: the field becomes required. Old events lack it.',
    ],
    [
      'a required field that becomes optional',
      { required: ['age', 'tags', 'place'] },
      'id: the field becomes optional. Old consumers require it.',
    ],
    ['a wider type', { 'properties/age/type': 'number' }, 'age: the type changes from "integer" to "number".'],
    ['a narrower type', { 'properties/ratio/type': 'integer' }, 'ratio: the type changes from "number" to "integer".'],
    ['another type', { 'properties/id/type': 'integer' }, 'id: the type changes from "string" to "integer".'],
    [
      'a type that also allows null',
      { 'properties/id/type': ['string', 'null'] },
      'id: the type changes from "string" to ["string","null"].',
    ],
    ['a lower maximum', { 'properties/age/maximum': 120 }, 'age: maximum changes from 150 to 120. Old events may break it.'],
    ['a higher maximum', { 'properties/age/maximum': 200 }, 'age: maximum changes from 150 to 200. Old consumers may reject new events.'],
    [
      'no maximum',
      { 'properties/age/maximum': undefined },
      'age: maximum changes from 150 to nothing. Old consumers may reject new events.',
    ],
    ['a new maximum', { 'properties/ratio/maximum': 1 }, 'ratio: maximum changes from nothing to 1. Old events may break it.'],
    ['a higher minimum', { 'properties/age/minimum': 18 }, 'age: minimum changes from 0 to 18. Old events may break it.'],
    ['a lower minimum', { 'properties/age/minimum': -1 }, 'age: minimum changes from 0 to -1. Old consumers may reject new events.'],
    ['a longer text', { 'properties/id/maxLength': 10 }, 'id: maxLength changes from 9 to 10. Old consumers may reject new events.'],
    ['a shorter text', { 'properties/id/maxLength': 8 }, 'id: maxLength changes from 9 to 8. Old events may break it.'],
    ['a new pattern', { 'properties/place/properties/city/pattern': '^A' }, 'place.city: pattern changes from nothing to "^A".'],
    ['another pattern', { 'properties/id/pattern': '^b' }, 'id: pattern changes from "^a" to "^b".'],
    ['a removed value', { 'properties/kind/enum': ['a'] }, 'kind: the value "b" is removed. Old events have it.'],
    ['a new value', { 'properties/kind/enum': ['a', 'b', 'c'] }, 'kind: the value "c" is new. Old consumers reject it.'],
    [
      'a narrower item of a list',
      { 'properties/tags/items/maxLength': 4 },
      'tags[]: maxLength changes from 5 to 4. Old events may break it.',
    ],
    ['a removed nested field', { 'properties/place/properties/city': undefined }, 'place.city: the field is removed.'],
    ['unknown fields that are refused', { additionalProperties: false }, 'the event: additionalProperties changes from nothing to false.'],
    ['another field id', { 'properties/age/x-field-id': 9 }, 'age: x-field-id changes from 2 to 9.'],
    ['another column type', { 'properties/age/x-column-type': 'timestamp' }, 'age: x-column-type changes from nothing to "timestamp".'],
    ['another case of the stored text', { 'properties/id/x-lower-case': undefined }, 'id: x-lower-case changes from true to nothing.'],
    ['another identity', { $id: 'urn:event:v2' }, 'the event: $id changes from "urn:event:v1" to "urn:event:v2".'],
    ['a keyword that the check does not know', { 'properties/id/format': 'uuid' }, 'id: format changes from nothing to "uuid".'],
  ])('%s is refused', (_what, change, sentence) =>
    expect(schemaIncompatibilities(published, after(published, change))).toContain(sentence),
  );
});

describe('changes of a stream', () => {
  const document = asyncApiOf(purchases);
  const changed = (change: Partial<typeof purchases>): string[] =>
    streamIncompatibilities(document, asyncApiOf({ ...purchases, ...change }));

  it('an unchanged stream is compatible', () => expect(changed({})).toEqual([]));

  it('more partitions are compatible, because a topic may grow', () =>
    expect(changed({ topic: { ...purchases.topic, partitions: 16 } })).toEqual([]));

  it.each<[string, Partial<typeof purchases>, string]>([
    [
      'another topic',
      { topic: { ...purchases.topic, name: 'other' } },
      'channel purchases: address changes from "bookstore.purchases.v1" to "other".',
    ],
    ['fewer partitions', { topic: { ...purchases.topic, partitions: 4 } }, '"partitions":4'],
    [
      'finite retention',
      { topic: { ...purchases.topic, config: { ...purchases.topic.config, 'retention.ms': '1000' } } },
      '"retention.ms":1000',
    ],
    ['another key', { keyField: 'bookId' }, 'message PurchaseEvent, key: '],
    [
      'another event type',
      { eventType: 'other' },
      'message PurchaseEvent: name changes from "com.millrace.bookstore.purchase.v1" to "other".',
    ],
    ['another name', { name: 'sales' }, 'channel purchases: it is removed.'],
  ])('%s is refused', (_what, change, sentence) =>
    expect(changed(change)).toEqual(expect.arrayContaining([expect.stringContaining(sentence)])),
  );

  it('a changed header and a changed value are refused', () => {
    const message = 'components/messages/PurchaseEvent';
    const other = after(document, {
      [`${message}/headers/properties/ce_id`]: undefined,
      [`${message}/payload/properties/userAge/maximum`]: 100,
    });
    expect(streamIncompatibilities(document, other)).toEqual([
      'message PurchaseEvent, headers: ce_id: the field is removed.',
      'message PurchaseEvent, payload: userAge: maximum changes from 150 to 100. Old events may break it.',
    ]);
  });
});
