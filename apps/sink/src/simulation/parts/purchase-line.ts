/** The value of a valid purchase record in the topic. */
export function purchaseLine(n: number, overrides: Record<string, unknown> = {}): string {
  return JSON.stringify({
    eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    bookId: 'ec437d98-455d-4fec-8dbe-2c2630454bdd',
    title: 'Orlando',
    author: 'Virginia Woolf',
    genre: 'Fiction',
    userId: `user-${n % 7}`,
    userCountry: 'GB',
    userAge: 24,
    purchaseTimestamp: 1_575_121_641 + (n % 2) * 86_400,
    ...overrides,
  });
}
