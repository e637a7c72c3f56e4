import { jsonSchemaOf, purchases } from '@millrace/contracts';
import { expect, it } from 'vitest';
import { schemaFields } from './schema-fields.ts';

it('the fields of a stream have their types and limits in words', () => {
  const fields = schemaFields(jsonSchemaOf(purchases));
  expect(fields).toHaveLength(9);
  expect(fields.filter(({ name }) => ['eventId', 'title', 'userAge'].includes(name))).toEqual([
    { name: 'eventId', type: 'UUID', isRequired: true, rules: [], description: 'Identity of the event, a UUID' },
    { name: 'title', type: 'text', isRequired: true, rules: ['1 to 1024 characters'], description: 'Title of the book' },
    { name: 'userAge', type: 'whole number', isRequired: true, rules: ['0 to 150'], description: 'Age of the buyer in years' },
  ]);
  expect(schemaFields({})).toEqual([]);
});
