import type { PurchaseRequest } from '@millrace/contracts';
import type { EventNumbers } from './event-number.ts';

/** A purchase whose id contains its number. The buyers take turns, and each is a key of the topic. */
export function numberedPurchase(numbers: EventNumbers, number: number, buyers: number): PurchaseRequest & { readonly eventId: string } {
  return {
    eventId: numbers.id(number),
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: `user-${number % buyers}`,
    userCountry: 'GB',
    userAge: 18 + (number % 60),
    purchaseTimestamp: 1_575_072_000 + (number % 86_400),
  };
}
