import { expect, it } from 'vitest';
import { editableReject, identityOf } from './editable-reject.ts';
import type { RejectedRecord } from './reject-files.ts';

const id = '0199c0de-0000-7000-8000-000000000001';
const other = '0199c0de-0000-7000-8000-000000000002';

function record(value: Buffer | null, headers: Record<string, string> = {}): RejectedRecord {
  return {
    topic: 't',
    partition: 3,
    offset: 7,
    timestamp: '1',
    reason: 'because',
    key: null,
    value,
    headers: Object.entries(headers).map(([name, text]) => ({ name, value: Buffer.from(text) })),
    file: 'f',
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

it('the identity of a reject is that of its event, then of its header, then one made of its place', () => {
  expect(identityOf(record(json({ eventId: id.toUpperCase() }), { ce_id: other }))).toBe(id);
  expect(identityOf(record(json({ eventId: 'x' }), { ce_id: other }))).toBe(other);
  const made = identityOf(record(Buffer.from('garbage')));
  expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(identityOf(record(null))).toBe(made);
  expect(identityOf({ ...record(null), offset: 8 })).not.toBe(made);
});

it('an object is shown as the event to edit, other text as text and other bytes as base64', () => {
  expect(editableReject(record(json({ userAge: 240, eventId: id })))).toEqual({
    topic: 't',
    partition: 3,
    offset: 7,
    reason: 'because',
    event: { userAge: 240, eventId: id },
  });
  expect(editableReject(record(Buffer.from('["ä"]'), { ce_id: id }))).toEqual({
    topic: 't',
    partition: 3,
    offset: 7,
    reason: 'because',
    event: null,
    eventId: id,
    text: '["ä"]',
  });
  expect(editableReject(record(Buffer.from([0xff, 1]), { ce_id: id }))).toEqual({
    topic: 't',
    partition: 3,
    offset: 7,
    reason: 'because',
    event: null,
    eventId: id,
    base64: '/wE=',
  });
  expect(editableReject(record(null, { ce_id: id }))).toEqual({
    topic: 't',
    partition: 3,
    offset: 7,
    reason: 'because',
    event: null,
    eventId: id,
  });
});

it('the event id in a damaged text is kept, unless the text names two', () => {
  const text = `{"eventId": "${id.toUpperCase()}", "title": "Orlando",}`;
  const utf16 = Buffer.from(text, 'utf16le');
  const damaged = {
    'a trailing comma': text,
    'a truncated text': text.slice(0, -20),
    'a byte order mark': `\ufeff${text}`,
    'curly quotes': text.replaceAll('"', '\u201d'),
  };
  for (const value of Object.values(damaged)) expect(identityOf(record(Buffer.from(value)))).toBe(id);
  for (const value of [
    utf16,
    Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]),
    Buffer.from(utf16).swap16(),
    Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]),
  ])
    expect(identityOf(record(value))).toBe(id);
  expect(identityOf(record(Buffer.from(text), { ce_id: other }))).toBe(other);
  const made = identityOf(record(null));
  expect(identityOf(record(Buffer.from(`${text}{"eventId": "${other}"}`)))).toBe(made);
  expect(identityOf(record(Buffer.from(`{"eventId": "${id}0",}`)))).toBe(made);
});

it('an event after a byte order mark is shown as the event', () => {
  expect(editableReject(record(Buffer.from(`\ufeff{"eventId":"${id}"}`))).event).toEqual({ eventId: id });
});
