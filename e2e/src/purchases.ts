import { randomUUID } from 'node:crypto';
import type { PurchaseRequest } from '@millrace/contracts';

/** The seed's own example, byte for byte. */
export const seedExample =
  '{"bookId": "ec437d98-455d-4fec-8dbe-2c2630454bdd", "title": "Orlando", "author": "Virginia Woolf", "genre": "Fiction", "userId": "test-user", "userCountry": "country", "userAge": 24, "purchaseTimestamp": 1575121641}';

const books = [
  ['Orlando', 'Virginia Woolf'],
  ['Middlemarch', 'George Eliot'],
  ['The Time Machine', 'H. G. Wells'],
] as const;

/** Plausible purchases over three days, each with an event id; `genre` marks those of one test. */
export function makePurchases(count: number, genre = 'Fiction'): (PurchaseRequest & { eventId: string })[] {
  return Array.from({ length: count }, (_, n) => {
    const [title, author] = books[n % books.length]!;
    return {
      eventId: randomUUID(),
      bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
      title,
      author,
      genre,
      userId: `user-${n % 997}`,
      userCountry: ['GB', 'IE', 'PT'][n % 3]!,
      userAge: 18 + (n % 60),
      purchaseTimestamp: 1_575_072_000 + ((n * 977) % (3 * 86_400)),
    };
  });
}
