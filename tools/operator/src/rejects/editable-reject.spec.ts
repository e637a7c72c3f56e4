import { expect, it } from 'vitest';
import { editableReject, identityOf } from './editable-reject.ts';
import type { RejectedRecord } from './reject-files.ts';

const id = '0199c0de-0000-7000-8000-000000000001';
const other = '0199c0de-0000-7000-8000-000000000002';

function record(value: Buffer | null, headers: Record<string, string> = {}): RejectedRecord {
  return { topic: 't', partition: 3, offset: 7, timestamp: '1', reason: 'because', key: null, value, headers, file: 'f' };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

it('keeps the event’s own identity, then its header’s, and makes one of its place where there is none', () => {
  expect(identityOf(record(json({ eventId: id.toUpperCase() }), { ce_id: other }))).toBe(id);
  expect(identityOf(record(json({ eventId: 'x' }), { ce_id: other }))).toBe(other);
  const made = identityOf(record(Buffer.from('garbage')));
  expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(identityOf(record(null))).toBe(made);
  expect(identityOf({ ...record(null), offset: 8 })).not.toBe(made);
});

it('shows an object as the event to edit, other text as text and other bytes as base64', () => {
  expect(editableReject(record(json({ userAge: 240, eventId: id })))).toEqual({ topic: 't', partition: 3, offset: 7, reason: 'because', event: { userAge: 240, eventId: id } });
  expect(editableReject(record(Buffer.from('["ä"]'), { ce_id: id }))).toEqual({ topic: 't', partition: 3, offset: 7, reason: 'because', event: null, eventId: id, text: '["ä"]' });
  expect(editableReject(record(Buffer.from([0xff, 1]), { ce_id: id }))).toEqual({ topic: 't', partition: 3, offset: 7, reason: 'because', event: null, eventId: id, base64: '/wE=' });
  expect(editableReject(record(null, { ce_id: id }))).toEqual({ topic: 't', partition: 3, offset: 7, reason: 'because', event: null, eventId: id });
});
