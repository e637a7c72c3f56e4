import { purchases as stream, utcDate, validatorFor, type PurchaseEvent } from '@millrace/contracts';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from './repository.ts';

const text = textOf('samples/purchases.ndjson');
const purchases = text
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as PurchaseEvent);

function expectedReport(...args: string[]): string {
  return execFileSync('python3', [join(repository, 'samples/expected-sales-by-genre.py'), ...args], { encoding: 'utf8' });
}

describe('sample purchases', () => {
  it('the samples are valid as requests and as events', () => {
    const request = validatorFor(stream.requestSchema);
    const event = validatorFor(stream.eventSchema);
    expect(purchases).toHaveLength(4000);
    expect(purchases.flatMap((purchase) => [...request.violations(purchase), ...event.violations(purchase)])).toEqual([]);
  });

  it('each sample has a different id, in lower case', () => {
    expect(new Set(purchases.map(({ eventId }) => eventId)).size).toBe(purchases.length);
    expect(purchases.filter(({ eventId, bookId }) => eventId !== eventId.toLowerCase() || bookId !== bookId.toLowerCase())).toEqual([]);
  });

  it('the samples are in order of time and cover every day of two weeks', () => {
    const times = purchases.map(({ purchaseTimestamp }) => purchaseTimestamp);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const days = [...new Set(times.map(utcDate))];
    expect([days.length, days[0], days.at(-1)]).toEqual([14, '2019-11-11', '2019-11-24']);
  });

  it('more than half of the buyers return, and each keeps one country and one age', () => {
    const buyers = Map.groupBy(purchases, ({ userId }) => userId);
    const bought = [...buyers.values()];
    expect(bought.filter((own) => own.length > 1).length).toBeGreaterThan(buyers.size / 2);
    expect(bought.filter((own) => new Set(own.map(({ userCountry, userAge }) => `${userCountry} ${userAge}`)).size > 1)).toEqual([]);
  });

  it('the samples equal the output of the generator, byte for byte', async () => {
    const { makeSamples } = (await import(pathToFileURL(join(repository, 'samples/generate.mjs')).href)) as { makeSamples: () => string };
    expect(makeSamples() === text).toBe(true);
  });
});

describe('the independent script', () => {
  it('the script counts each purchase once, orders by sales and name, and rounds halves up', () => {
    const folder = mkdtempSync(join(tmpdir(), 'samples-'));
    try {
      const lines = [
        ['1', 'Poetry', 'ann', 30],
        ['2', 'Poetry', 'ann', 30],
        ['3', 'Crime', 'bob', 20],
        ['4', 'Crime', 'eve', 21],
        ['5', 'Élan', 'eve', 1],
        ['6', 'Élan', 'eve', 1],
        ['7', 'Élan', 'joe', 3],
        ['8', 'Élan', 'joe', 4],
        ['2', 'Poetry', 'ann', 30],
      ].map(([eventId, genre, userId, userAge]) => JSON.stringify({ eventId, genre, userId, userAge }));
      const path = join(folder, 'purchases.ndjson');
      writeFileSync(path, `${lines.join('\n')}\n`);
      expect(expectedReport('--csv', path).trimEnd().split('\n')).toEqual([
        'genre,purchases,buyers,average_age',
        'Élan,4,2,2.3',
        'Crime,2,2,20.5',
        'Poetry,2,1,30',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('the script counts every sample in one genre', () => {
    const rows = expectedReport('--csv').trimEnd().split('\n').slice(1);
    expect(rows.map((row) => Number(row.split(',')[1])).reduce((sum, count) => sum + count, 0)).toBe(purchases.length);
  });
});
