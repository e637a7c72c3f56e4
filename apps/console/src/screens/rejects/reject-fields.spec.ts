import { describe, expect, it } from 'vitest';
import { fieldsOf } from './reject-fields.ts';

describe('the fields of a reject', () => {
  it('a field that breaks a rule comes first, with its value as JSON', () => {
    const event = { eventId: 'a', title: 'Orlando', userAge: '24' };
    expect(fieldsOf({ event, violations: [{ field: 'userAge', message: 'must be a whole number' }] })).toEqual([
      { name: 'userAge', value: '"24"', problems: ['must be a whole number'] },
      { name: 'eventId', value: '"a"', problems: [] },
      { name: 'title', value: '"Orlando"', problems: [] },
    ]);
  });

  it('a missing field has no value, and a rule inside a field names its place', () => {
    const violations = [
      { field: 'genre', message: 'is missing' },
      { field: 'tags[3].name', message: 'must be text' },
    ];
    expect(fieldsOf({ event: { tags: [] }, violations })).toEqual([
      { name: 'genre', value: undefined, problems: ['is missing'] },
      { name: 'tags', value: '[]', problems: ['tags[3].name must be text'] },
    ]);
  });

  it('a value that is not a JSON object has no fields', () => {
    expect(fieldsOf({ event: null, violations: [] })).toEqual([]);
  });
});
