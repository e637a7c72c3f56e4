// Makes samples/purchases.ndjson, always the same bytes: `node samples/generate.mjs` writes it anew. No clock, no randomness but a
// seeded one, and whole numbers only, so that every machine and every version of Node agree.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const purchaseCount = 4000;
const userCount = 900;
const firstDay = Date.UTC(2019, 10, 11) / 1000;
/** Share of the purchases on each day, Monday first: two weeks, busier at week ends and towards the holidays. */
const dayWeights = [9, 9, 10, 11, 14, 18, 15, 11, 11, 12, 13, 17, 22, 18];
/** Share of the purchases in each hour of the day, UTC. */
const hourWeights = [2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10, 12, 11, 9, 9, 10, 12, 15, 18, 20, 18, 11, 5];
const countryWeights = {
  US: 22,
  GB: 17,
  DE: 12,
  FR: 10,
  IN: 8,
  ES: 6,
  IT: 5,
  NL: 4,
  JP: 4,
  BR: 3,
  IE: 2,
  SE: 2,
  PL: 2,
  CZ: 1,
  NO: 1,
  ZA: 1,
};
const genreWeights = {
  Fiction: 30,
  Crime: 15,
  'Science Fiction': 13,
  Adventure: 10,
  Children: 10,
  Horror: 8,
  Fantasy: 7,
  Poetry: 5,
  Drama: 4,
  Philosophy: 4,
  History: 3,
  Memoir: 3,
  Humour: 3,
  Science: 2,
};
/** Years by which those who like a genre are younger or older than the rest. */
const ageShifts = { 'Science Fiction': -6, Fantasy: -8, Horror: -4, Philosophy: 4, Memoir: 7, History: 9 };
/** The id that the book has in the contract's own example; every other one comes from title and author. */
const knownBookIds = { Orlando: 'ec437d98-455d-4fec-8dbe-2c2630454bdd' };

/** Marsaglia's 32-bit xorshift: a number from 0 to `bound` − 1 a call. */
function seeded(seed) {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/** One of the keys, as often as its weight says. */
function weighted(weights, random) {
  const entries = Object.entries(weights);
  let left = random(entries.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  throw new Error('the weights do not add up');
}

const formatUuid = (hex) => `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;

/** A UUID that a name always gives, in the form of version 8. */
function uuidOfName(name) {
  const hex = createHash('sha256').update(name).digest('hex');
  return formatUuid(`${hex.slice(0, 12)}8${hex.slice(13, 16)}a${hex.slice(17, 32)}`);
}

/** A UUIDv7: its time is the purchase's. */
function eventIdAt(epochMs, random) {
  const hex = (digits) =>
    random(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return formatUuid(`${epochMs.toString(16).padStart(12, '0')}7${hex(3)}a${hex(3)}${hex(6)}${hex(6)}`);
}

function makeBooks() {
  const catalogue = JSON.parse(readFileSync(new URL('catalogue.json', import.meta.url), 'utf8'));
  return Object.fromEntries(
    Object.entries(catalogue).map(([genre, books]) => [
      genre,
      books.map(([title, author]) => ({ bookId: knownBookIds[title] ?? uuidOfName(`${title}\n${author}`), title, author, genre })),
    ]),
  );
}

function makeUsers(random) {
  return Array.from({ length: userCount }, (_, n) => {
    const favourite = weighted(genreWeights, random);
    return {
      userId: `user-${String(n + 1).padStart(4, '0')}`,
      userCountry: weighted(countryWeights, random),
      // The sum of three numbers is commoner in the middle.
      userAge: 20 + random(22) + random(20) + random(14) + (ageShifts[favourite] ?? 0),
      favourite,
    };
  });
}

/** The whole file. */
export function makeSamples() {
  const random = seeded(0x6d696c6c);
  const books = makeBooks();
  const users = makeUsers(random);
  const seconds = Array.from(
    { length: purchaseCount },
    () => firstDay + Number(weighted(dayWeights, random)) * 86_400 + Number(weighted(hourWeights, random)) * 3600 + random(3600),
  ).toSorted((a, b) => a - b);
  const lines = seconds.map((purchaseTimestamp) => {
    // The smaller of two: some buy often, some once.
    const user = users[Math.min(random(userCount), random(userCount))];
    const shelf = books[random(100) < 45 ? user.favourite : weighted(genreWeights, random)];
    // The first of a shelf are its best sellers.
    const book = shelf[Math.min(random(shelf.length), random(shelf.length))];
    const { userId, userCountry, userAge } = user;
    return JSON.stringify({
      eventId: eventIdAt(purchaseTimestamp * 1000 + random(1000), random),
      ...book,
      userId,
      userCountry,
      userAge,
      purchaseTimestamp,
    });
  });
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(new URL('purchases.ndjson', import.meta.url), makeSamples());
