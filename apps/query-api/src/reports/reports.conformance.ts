import { utcDate } from '@millrace/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipNote, type ConformanceSubject } from '../engines/query-engine.conformance.ts';
import type { Parameter, ResultRow } from '../engines/query-engine.ts';
import { engineRequest, runToEnd } from '../testing-engine.ts';
import type { TestPurchase } from '../testing-lake.ts';
import { bindReport } from './report.ts';
import { reports } from './reports.ts';

type Purchase = Required<TestPurchase>;

const genres = ['Fiction', "Poet's", 'Crime'];
const countries = ['GB', 'NZ', 'TZ', 'Ö'];

/** 240 purchases on five days, with ties, quotes, and letters beyond ASCII. The same at each run. */
const events: readonly Purchase[] = Array.from({ length: 240 }, (_, index): Purchase => {
  const user = (index * index * 7 + index * 3) % 37;
  const book = (index * 11 + Math.floor(index / 7)) % 19;
  return {
    genre: genres[book % 3]!,
    userId: `user-${user}`,
    userAge: (user * 13) % 101,
    purchaseTimestamp: 1_575_072_000 + index * 1723,
    bookId: `00000000-0000-4000-8000-${String(book).padStart(12, '0')}`,
    title: `Book ${book}: it's "it"`,
    author: `Author ${book % 7}`,
    userCountry: countries[user % 4]!,
  };
});

type Values = Readonly<Record<string, Parameter>>;

/** Rows of one report, computed from the events without SQL. */
type Expected = (chosen: readonly Purchase[], values: Values) => ResultRow[];

const distinct = (of: readonly Purchase[], field: 'userId' | 'bookId'): string => String(new Set(of.map((event) => event[field])).size);
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const mostFirst = (a: readonly [string, readonly Purchase[]], b: readonly [string, readonly Purchase[]]): number =>
  b[1].length - a[1].length || compare(a[0], b[0]);
const groups = (of: readonly Purchase[], key: (event: Purchase) => string): [string, Purchase[]][] => [...Map.groupBy(of, key)];
const days = (of: readonly Purchase[]): string[] => of.map(({ purchaseTimestamp }) => utcDate(purchaseTimestamp)).toSorted();

// Halves are rounded up: the sum of ages and the count are whole, so that this is exact.
function averageAge(of: readonly Purchase[]): number {
  const sum = of.reduce((total, { userAge }) => total + userAge, 0);
  return Math.floor((sum * 20 + of.length) / (of.length * 2)) / 10;
}

const expectedOf: Readonly<Record<string, Expected>> = {
  'sales-by-genre': (of) =>
    groups(of, ({ genre }) => genre)
      .toSorted(mostFirst)
      .map(([genre, own]) => [genre, String(own.length), distinct(own, 'userId'), averageAge(own)]),
  'sales-by-country': (of) =>
    groups(of, ({ userCountry }) => userCountry)
      .toSorted(mostFirst)
      .map(([country, own]) => [country, String(own.length), distinct(own, 'userId'), averageAge(own)]),
  'sales-by-author': (of, { rows = 100 }) =>
    groups(of, ({ author }) => author)
      .toSorted(mostFirst)
      .slice(0, Number(rows))
      .map(([author, own]) => [author, String(own.length), distinct(own, 'bookId'), distinct(own, 'userId')]),
  'sales-by-age-group': (of, { years = 10 }) =>
    groups(of, ({ userAge }) => String(Math.floor(userAge / Number(years)) * Number(years)))
      .toSorted(([a], [b]) => Number(a) - Number(b))
      .map(([from, own]) => [Number(from), Number(from) + Number(years) - 1, String(own.length), distinct(own, 'userId')]),
  'top-books': (of, { genre = '', rows = 10 }) =>
    groups(
      of.filter((event) => genre === '' || event.genre === genre),
      ({ bookId }) => bookId,
    )
      .toSorted(mostFirst)
      .slice(0, Number(rows))
      .map(([bookId, own]) => [bookId, own[0]!.title, own[0]!.author, String(own.length), distinct(own, 'userId')]),
  'trend-by-day': (of) =>
    groups(of, ({ purchaseTimestamp }) => utcDate(purchaseTimestamp))
      .toSorted(([a], [b]) => compare(a, b))
      .map(([day, own]) => [day, String(own.length), distinct(own, 'userId'), distinct(own, 'bookId')]),
  'trend-by-hour': (of, { rows = 744 }) =>
    groups(of, ({ purchaseTimestamp }) => new Date(Math.floor(purchaseTimestamp / 3600) * 3_600_000).toISOString())
      .toSorted(([a], [b]) => compare(a, b))
      .slice(0, Number(rows))
      .map(([hour, own]) => [hour.replace('T', ' ').replace('.000Z', ''), String(own.length), distinct(own, 'userId')]),
  'repeat-buyers': (of, { purchases = 2, rows = 100 }) =>
    groups(of, ({ userId }) => userId)
      .filter(([, own]) => own.length >= Number(purchases))
      .toSorted(mostFirst)
      .slice(0, Number(rows))
      .map(([user, own]) => [user, String(own.length), distinct(own, 'bookId'), days(own)[0]!, days(own).at(-1)!]),
};

const given: Readonly<Record<string, readonly Values[]>> = {
  'sales-by-author': [{ rows: 3 }],
  'sales-by-age-group': [{ years: 1 }, { years: 25, from: '2019-12-01' }],
  'top-books': [{ genre: "Poet's", rows: 4 }],
  'trend-by-hour': [{ from: '2019-12-02', rows: 5 }],
  'repeat-buyers': [{ purchases: 8 }, { rows: 2 }],
};

/**
 * One suite for the reports on every engine: each report must give the rows that follow from the events.
 *
 * @param open opens the engine over a table with these rows
 * @param missing why the suite is skipped; undefined where the engine is there
 */
export function reportConformance(
  name: string,
  open: (rows: readonly TestPurchase[]) => Promise<ConformanceSubject>,
  missing?: string,
): void {
  describe.skipIf(missing !== undefined)(`reports on ${name}${skipNote(missing)}`, () => {
    let subject: ConformanceSubject;
    beforeAll(async () => {
      subject = await open(events);
    });
    afterAll(async () => await subject?.close());

    it.each(reports)('the report $name gives the rows that follow from the events, for each choice of its parameters', async (report) => {
      const expected = expectedOf[report.name]!;
      const check = async (values: Values): Promise<void> => {
        const { from = '', to = '9999' } = values as { from?: string; to?: string };
        const chosen = events.filter(({ purchaseTimestamp }) => utcDate(purchaseTimestamp) >= from && utcDate(purchaseTimestamp) <= to);
        const { sql, parameters } = bindReport(report, values);
        const { rows } = await runToEnd(subject.engine, engineRequest(sql, { parameters }));
        expect({ values, rows }).toEqual({ values, rows: expected(chosen, values) });
      };
      const choices = [{}, { from: '2019-12-01', to: '2019-12-02' }, ...(given[report.name] ?? [])];
      // A statement takes Trino seconds while it is cold, and DuckDB a process.
      if (name === 'trino') await Promise.all(choices.map(check));
      else for (const values of choices) await check(values);
    });
  });
}
