import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { eventMakerOf } from './streams/event-maker.ts';
import { purchases } from './streams/purchases.ts';
import { sqlQueryRequestSchema } from './query-http.ts';
import { validatorFor } from './validator.ts';

const seed =
  '{"bookId": "ec437d98-455d-4fec-8dbe-2c2630454bdd", "title": "Orlando", "author": "Virginia Woolf", "genre": "Fiction", "userId": "test-user", "userCountry": "country", "userAge": 24, "purchaseTimestamp": 1575121641}';
const validator = validatorFor(purchases.requestSchema);

describe('the purchase contract', () => {
  it("the article's example is valid, byte for byte", () => {
    expect(validator.violations(JSON.parse(seed))).toEqual([]);
    expect(validator.check(JSON.parse(seed))).toBe(true);
  });

  it('the violations name the field and the limit of every fault at once', () => {
    const { title: _title, ...rest } = JSON.parse(seed) as Record<string, unknown>;
    expect(validator.violations({ ...rest, userAge: 151, genre: '', colour: 'red', bookId: 'x' })).toEqual([
      { field: 'title', message: 'is required' },
      { field: 'colour', message: 'is not a known field' },
      { field: 'bookId', message: 'must be a UUID' },
      { field: 'genre', message: 'must be at least 1 character long', limit: 1 },
      { field: 'userAge', message: 'must be at most 150', limit: 150 },
    ]);
  });

  it('lengths count characters, not UTF-16 units', () => {
    expect(validator.check({ ...(JSON.parse(seed) as object), genre: '📚'.repeat(128) })).toBe(true);
    expect(validator.check({ ...(JSON.parse(seed) as object), genre: '📚'.repeat(129) })).toBe(false);
  });

  it('text that UTF-8 or Parquet cannot carry is refused', () => {
    for (const title of ['a\u0000b', 'a\ud800b']) {
      expect(validator.violations({ ...(JSON.parse(seed) as object), title })).toEqual([
        { field: 'title', message: 'must not hold NUL or an unpaired surrogate' },
      ]);
    }
  });

  it('the event has its UUIDs in lower case and a new id', () => {
    const request = { ...(JSON.parse(seed) as object), bookId: 'EC437D98-455D-4FEC-8DBE-2C2630454BDD' };
    expect(validator.check(request)).toBe(true);
    if (!validator.check(request)) return;
    const event = eventMakerOf(purchases)(request, () => '0199F2A0-0000-7000-8000-000000000001');
    expect(event['bookId']).toBe('ec437d98-455d-4fec-8dbe-2c2630454bdd');
    expect(Object.keys(event)[0]).toBe('eventId');
    expect(event['eventId']).toBe('0199f2a0-0000-7000-8000-000000000001');
  });
});

describe('unions', () => {
  const request = validatorFor(sqlQueryRequestSchema);

  it('the violation names the limit of the branch with the type of the value', () => {
    expect(request.violations({ sql: 'SELECT ?', parameters: ['x'.repeat(65_537)] })).toEqual([
      { field: 'parameters[0]', message: 'must be at most 65536 characters long', limit: 65_536 },
    ]);
  });

  it('the violation names the types of the union when the value has none of them', () => {
    expect(request.violations({ sql: 'SELECT ?, ?', parameters: [1, { a: 1 }] })).toEqual([
      { field: 'parameters[1]', message: 'must be a string, a number, a boolean or null' },
    ]);
  });

  it('the violations name the faults inside the branch and beside the union', () => {
    const schema = Type.Object({
      a: Type.Union([Type.Object({ b: Type.Integer({ maximum: 5 }) }), Type.String({ minLength: 2 })]),
      c: Type.Optional(Type.Boolean()),
    });
    expect(validatorFor(schema).violations({ a: { b: 6 }, c: 'x' })).toEqual([
      { field: 'a.b', message: 'must be at most 5', limit: 5 },
      { field: 'c', message: 'must be of type boolean' },
    ]);
    expect(validatorFor(schema).violations({ a: 'x' })).toEqual([{ field: 'a', message: 'must be at least 2 characters long', limit: 2 }]);
  });
});
