import { purchases } from '@millrace/contracts';
import { expect, it } from 'vitest';
import { correctionsOf, readLine } from './correction.ts';
import type { RejectedRecord } from './reject-files.ts';

const eventId = '0199c0de-0000-7000-8000-000000000001';
const event = {
  eventId,
  bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
  title: 'Orlando',
  author: 'Virginia Woolf',
  genre: 'Fiction',
  userId: 'test-user',
  userCountry: 'country',
  userAge: 24,
  purchaseTimestamp: 1_575_121_641,
};
const original: RejectedRecord = {
  topic: 't',
  partition: 3,
  offset: 7,
  timestamp: '1',
  reason: '',
  key: null,
  value: Buffer.from(JSON.stringify({ ...event, userAge: 240 })),
  headers: [],
  file: 'f',
};
const correct = correctionsOf(purchases);

it('a corrected event keeps its own identity and gets the key of its buyer', () => {
  const good = correct({ ...event, eventId: eventId.toUpperCase(), userId: 'buyer' }, original);
  expect(good).toMatchObject({ kind: 'good', eventId, key: 'buyer', original });
  expect(good.kind === 'good' && JSON.parse(good.value.toString())).toEqual({ ...event, userId: 'buyer' });
});

it('a corrected event may have the identity of its header or of its damaged text', () => {
  const header = '0199c0de-0000-7000-8000-000000000002';
  const damaged = {
    ...original,
    value: Buffer.from(`${JSON.stringify(event).slice(0, -1)},}`),
    headers: [{ name: 'ce_id', value: Buffer.from(header) }],
  };
  for (const id of [eventId, header]) expect(correct({ ...event, eventId: id }, damaged)).toMatchObject({ kind: 'good', eventId: id });
  expect(correct({ ...event, eventId: '0199c0de-0000-7000-8000-000000000003' }, damaged)).toMatchObject({ kind: 'refused' });
});

it.each([
  ['an event as wrong as before', { ...event, userAge: 240 }, original, 'it still breaks the contract: userAge must be at most 150'],
  ['another identity', { ...event, eventId: '0199c0de-0000-7000-8000-000000000002' }, original, `eventId must stay ${eventId}`],
  ['a missing event', null, original, '"event" is missing'],
  ['a text instead of an object', 'x', original, 'the event must be of type object'],
  ['an offset that was not rejected', event, undefined, 'no entry of the ledger rejected this offset'],
])('a correction with %s is refused', (_what, given, of, reason) => {
  expect(correct(given, of)).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) });
});

it('a line is parsed, or its fault is named', () => {
  expect(readLine('{"topic":"t","partition":3,"offset":7,"event":{}}', 't')).toEqual({ partition: 3, offset: 7, event: {} });
  expect(readLine('{"topic":"t","partition":3', 't')).toContain('the line is not JSON');
  expect(readLine('{"topic":"t","partition":-1,"offset":7}', 't')).toContain('must name "partition" and "offset"');
  expect(readLine('{"topic":"u","partition":3,"offset":7}', 't')).toBe('the line is of the topic "u", and the table\'s is t');
});
