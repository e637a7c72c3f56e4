import { purchases, validatorFor } from '@millrace/contracts';
import { expect, it } from 'vitest';
import { purchaseTexts } from './purchase-texts.ts';

it('the purchases of the benchmark fit the contract, have their own ids and lie within six hours', () => {
  const validator = validatorFor(purchases.eventSchema);
  const all = [...purchaseTexts(2000)];
  for (const { json, eventId, userId, age, timestamp } of all) {
    const event = JSON.parse(json) as Record<string, unknown>;
    expect(validator.violations(event)).toEqual([]);
    expect(event).toMatchObject({ eventId, userId, userAge: age, purchaseTimestamp: timestamp });
  }
  const times = all.map(({ timestamp }) => timestamp);
  expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(2000);
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(6 * 3600);
});

it('the same seed gives the same books and users', () => {
  expect(textsWithoutIds(3)).toEqual(textsWithoutIds(3));
  expect(textsWithoutIds(3)).not.toEqual(textsWithoutIds(4));
});

function textsWithoutIds(seed: number): readonly string[] {
  return [...purchaseTexts(50, seed)].map(({ json }) => json.replace(/"eventId":"[^"]+"/, ''));
}
