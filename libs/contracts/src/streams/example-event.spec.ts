import { expect, it } from 'vitest';
import { bookViews } from '../testing/book-views.ts';
import { validatorFor } from '../validator.ts';
import { exampleEventOf } from './example-event.ts';
import { purchases } from './purchases.ts';

it.each([purchases, bookViews])('the example event of $name follows the schema, and a posted one may be the same', (stream) => {
  const example = exampleEventOf(stream);
  expect(validatorFor(stream.eventSchema).violations(example)).toEqual([]);
  expect(validatorFor(stream.requestSchema).violations(example)).toEqual([]);
  expect(Object.keys(example)).toEqual(Object.keys(stream.eventSchema.properties));
});
