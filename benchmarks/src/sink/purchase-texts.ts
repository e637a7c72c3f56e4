import { randomFillSync } from 'node:crypto';
import { pick, seededRandom } from '@millrace/testing';

/** A purchase as the purchase API writes it, and its parts that a reader is checked against. */
export interface PurchaseText {
  readonly eventId: string;
  readonly userId: string;
  /** Number of the user, from 0. */
  readonly user: number;
  readonly age: number;
  readonly timestamp: number;
  readonly json: string;
}

interface Buyer {
  readonly userId: string;
  readonly age: number;
  /** Fields of the user in JSON. */
  readonly text: string;
}

const books = 5000;
const users = 200_000;
const firstSecond = 1_767_225_600;
const spanSeconds = 6 * 3600;
const genres = ['Fiction', 'Science Fiction', 'Fantasy', 'Mystery', 'Thriller', 'Romance', 'History', 'Biography', 'Science', 'Poetry'];
const countries = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'PL', 'NL', 'SE', 'BR', 'MX', 'AR', 'CA', 'AU', 'NZ', 'JP', 'KR', 'IN', 'ZA', 'NG'];
const adjectives = ['Silent', 'Hidden', 'Broken', 'Golden', 'Distant', 'Last', 'Endless', 'Burning', 'Frozen', 'Secret', 'Quiet', 'Lost'];
const nouns = ['River', 'Garden', 'Empire', 'Machine', 'Winter', 'Letter', 'Harbor', 'Mirror', 'Mountain', 'Archive', 'Orchard', 'Signal'];
const authors = ['Ada Moreau', 'Jorge Nakamura', 'Iris Okafor', 'Tomas Lindqvist', 'Nadia Herrera', 'Kenji Kowalski', 'Amara Ferrari'];

/**
 * Makes purchases: 5,000 books of which few sell much (Zipf, exponent 0.9), 200,000 users of equal chance, event times that rise over six
 * hours. The seed decides everything but the ids of the events, which are UUIDv7 as the purchase API makes them.
 */
export function* purchaseTexts(count: number, seed = 7): Generator<PurchaseText> {
  const random = seededRandom(seed);
  const idOf = (): string => uuid([8, 4, 3, 3, 12].map((digits) => hexOf(random, digits)).join(''), '4');
  const one = <T>(values: readonly T[]): T => pick(values, random);
  const bookTexts = Array.from(
    { length: books },
    (_, n) =>
      `"bookId":"${idOf()}","title":"The ${one(adjectives)} ${one(nouns)} ${n}","author":"${one(authors)}","genre":"${one(genres)}"`,
  );
  const buyers = new Map<number, Buyer>();
  const newBuyer = (): Buyer => {
    const userId = idOf();
    const age = 16 + Math.floor(random() * 70);
    return { userId, age, text: `"userId":"${userId}","userCountry":"${one(countries)}","userAge":${age}` };
  };
  const pickBook = zipfOf(books, 0.9, random);
  const nextId = eventIds();
  for (let n = 0; n < count; n += 1) {
    const user = Math.floor(random() * users);
    const buyer = buyers.get(user) ?? newBuyer();
    buyers.set(user, buyer);
    const { userId, age, text } = buyer;
    const timestamp = firstSecond + Math.min(spanSeconds - 1, Math.floor((n * spanSeconds) / count) + ((n * 7919) % 30));
    const eventId = nextId();
    yield {
      eventId,
      userId,
      user,
      age,
      timestamp,
      json: `{"eventId":"${eventId}",${bookTexts[pickBook()]!},${text},"purchaseTimestamp":${timestamp}}`,
    };
  }
}

function uuid(hex: string, version: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

/** UUIDv7 of the present, 40 of each millisecond. */
function eventIds(): () => string {
  const pool = Buffer.alloc(9 * 4096);
  let hex = '';
  let at = 0;
  let made = 0;
  const start = Date.now();
  return () => {
    if (at + 18 > hex.length) {
      hex = randomFillSync(pool).toString('hex');
      at = 0;
    }
    const time = (start + Math.floor(made / 40)).toString(16).padStart(12, '0');
    made += 1;
    at += 18;
    return uuid(time + hex.slice(at - 18, at), '7');
  };
}

function hexOf(random: () => number, digits: number): string {
  return Math.floor(random() * 16 ** digits)
    .toString(16)
    .padStart(digits, '0');
}

/** Picks numbers below `count`, where the n-th has the weight 1 / n^exponent. */
function zipfOf(count: number, exponent: number, random: () => number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let n = 1; n <= count; n += 1) sums.push((sum += n ** -exponent));
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
