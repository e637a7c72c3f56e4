/** The example of a purchase, byte for byte as its readers know it. */
export const seedText =
  '{"bookId": "ec437d98-455d-4fec-8dbe-2c2630454bdd", "title": "Orlando", "author": "Virginia Woolf", "genre": "Fiction", "userId": "test-user", "userCountry": "country", "userAge": 24, "purchaseTimestamp": 1575121641}';

/** The example as a value, with other fields over it. */
export function seedPurchase(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...(JSON.parse(seedText) as Record<string, unknown>), ...more };
}
