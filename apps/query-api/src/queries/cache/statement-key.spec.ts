import { describe, expect, it } from 'vitest';
import { cacheKeyOf, isRepeatable, normalisedText, type KeyedQuery } from './statement-key.ts';

describe('normalisedText', () => {
  it.each([
    ['SELECT  a ,b\nFROM t', 'select a, b from t'],
    ['SELECT count( * ) FROM t WHERE a=1', 'SELECT count(*) from t where a = 1'],
    ['SELECT a FROM t WHERE a>=? AND b IN (1,2)', 'SELECT a FROM t WHERE a >= ? AND b IN ( 1, 2 )'],
    ["SELECT DATE'2019-12-01'", "SELECT DATE '2019-12-01'"],
  ])('the normalised text is the same for %j and %j', (one, other) => {
    expect(normalisedText(one)).toBe(normalisedText(other));
  });

  it.each([
    ["SELECT 'a'", "SELECT 'A'"],
    ["SELECT 'a b'", "SELECT 'a  b'"],
    ['SELECT a', 'SELECT A'],
    ['SELECT "a"', 'SELECT "A"'],
    ['SELECT 1 AS "Order"', 'SELECT 1 AS "order"'],
    ['SELECT 1 AS ORDER', 'SELECT 1 AS order'],
    ['SELECT t.LEFT FROM t', 'SELECT t.left FROM t'],
    ['SELECT {LEFT: 1}', 'SELECT {left: 1}'],
    ['SELECT 5 ! = 120', 'SELECT 5 != 120'],
    ['SELECT 1 .5', 'SELECT 1.5'],
    ['SELECT - -1', 'SELECT 1'],
  ])('the normalised text keeps %j and %j apart', (one, other) => {
    expect(normalisedText(one)).not.toBe(normalisedText(other));
  });
});

describe('cacheKeyOf', () => {
  const query: KeyedQuery = { text: 'SELECT ?', parameters: [1], engine: 'duckdb', timeoutMs: 1000, rights: ['queries:run', 'admin'] };

  it('the key does not depend on the order of rights', () => {
    expect(cacheKeyOf({ ...query, rights: ['admin', 'queries:run'] })).toBe(cacheKeyOf(query));
  });

  it.each<Partial<KeyedQuery>>([
    { text: 'SELECT ? + 1' },
    { parameters: ['1'] },
    { parameters: [true] },
    { parameters: [null] },
    { parameters: [-1] },
    { engine: 'athena' },
    { timeoutMs: 2000 },
    { rights: ['queries:run'] },
  ])('the key differs with %j', (more) => {
    expect(cacheKeyOf({ ...query, ...more })).not.toBe(cacheKeyOf(query));
  });

  it('the key distinguishes -0 from 0', () => {
    expect(cacheKeyOf({ ...query, parameters: [-0] })).not.toBe(cacheKeyOf({ ...query, parameters: [0] }));
  });
});

describe('isRepeatable', () => {
  it.each([
    'SELECT now()',
    'SELECT NOW ()',
    'SELECT "random"()',
    'SELECT current_date',
    'SELECT uuid() FROM purchases',
    'SELECT list_transform([1], x -> random())',
    'SELECT * FROM purchases TABLESAMPLE BERNOULLI (5)',
    'SELECT * FROM purchases USING SAMPLE 5 ROWS',
    "SELECT CAST('now' AS TIMESTAMP)",
    'SELECT age(purchase_timestamp) FROM purchases',
  ])('the statement %s is not repeatable', (sql) => {
    expect(isRepeatable(sql, [])).toBe(false);
  });

  it('a statement with a parameter that a cast reads as the current time is not repeatable', () => {
    expect(isRepeatable('SELECT CAST(? AS TIMESTAMP)', [' Today '])).toBe(false);
    expect(isRepeatable('SELECT CAST(? AS TIMESTAMP)', ['2019-12-01', 4, null])).toBe(true);
  });

  it('a repeatable statement may have texts that hold the names of volatile functions', () => {
    expect(isRepeatable("SELECT count(*) FROM purchases WHERE title = 'random now()'", [])).toBe(true);
  });
});
