import { expect, it } from 'vitest';
import { timeOfEventId } from './event-id.ts';

it('only an id of version 7 has a time', () => {
  expect(timeOfEventId('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')).toBe(Date.parse('2022-02-22T19:22:22Z'));
  expect(timeOfEventId('7bd2caf7-f9d2-4a40-9c30-42b5fc4755e4')).toBeUndefined();
  expect(timeOfEventId('not-an-id')).toBeUndefined();
});
