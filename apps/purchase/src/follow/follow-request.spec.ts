import { expect, it } from 'vitest';
import { readFollowRequest } from './follow-request.ts';

const id = '01A21102-d4f6-73ec-9b7c-538bae2b2eb0';

it('a request names an event and may name its place', () => {
  expect(readFollowRequest(id, {})).toEqual({ eventId: id.toLowerCase(), named: undefined });
  expect(readFollowRequest(id, { partition: '7', offset: '12' }).named).toEqual({ partition: 7, offset: 12 });
});

it.each<[string, Record<string, unknown>, string]>([
  ['batch', {}, 'eventId'],
  [id, { partition: '1' }, 'offset'],
  [id, { offset: '1' }, 'partition'],
  [id, { partition: '100001', offset: '1' }, 'partition'],
  [id, { partition: ['1', '2'], offset: '1' }, 'partition'],
  [id, { partition: '1', offset: '-1' }, 'offset'],
  [id, { partition: '1', offset: '9007199254740992' }, 'offset'],
  [id, { ofset: '1' }, 'ofset'],
])('a request with %s %j is refused with the name of its field', (eventId, query, field) => {
  expect(() => readFollowRequest(eventId, query)).toThrow(
    expect.objectContaining({
      code: 'validation',
      details: expect.objectContaining({ errors: [expect.objectContaining({ field })] }),
    }) as Error,
  );
});
