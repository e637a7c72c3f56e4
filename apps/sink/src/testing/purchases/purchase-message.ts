import type { Message } from 'kafkajs';

/** The event id of the nth purchase of a test. */
export function eventIdOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** The nth purchase of a test, as a Kafka message: three days, 97 buyers. */
export function purchaseMessage(n: number, overrides: Readonly<Record<string, unknown>> = {}): Message {
  const userId = `user-${n % 97}`;
  const event = {
    eventId: eventIdOf(n),
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId,
    userCountry: 'GB',
    userAge: 24,
    purchaseTimestamp: 1_575_121_641 + (n % 3) * 86_400,
    ...overrides,
  };
  return { key: userId, value: JSON.stringify(event) };
}

/** Purchases `from` up to and without `to`. */
export function purchaseMessages(from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, n) => purchaseMessage(from + n));
}
