import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QueryError, type QueryErrorCode } from '../errors.ts';
import { StatementGate } from './statement-gate.ts';

let gate: StatementGate;

beforeAll(async () => {
  gate = await StatementGate.create({ database: 'bookstore', tables: ['purchases'] });
});
afterAll(() => gate.close());

async function refusalOf(sql: string): Promise<QueryError> {
  try {
    await gate.check(sql);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`passed the gate: ${sql}`);
}

async function outcomeOf(sql: string): Promise<unknown> {
  return await gate.check(sql).then(
    () => 'passed',
    (error: unknown) => (error instanceof QueryError ? error.code : error),
  );
}

describe('statements that pass', () => {
  it.each([
    'select 1',
    'SELECT genre, count(*) AS purchases FROM purchases GROUP BY genre ORDER BY purchases DESC, genre',
    'select * from bookstore.purchases where user_id = ? and dt >= ? limit 10',
    'SELECT * FROM "Bookstore"."PURCHASES" p',
    'from purchases',
    'table purchases',
    'values (1), (2)',
    'select 1;',
    'select 1 ; -- done',
    "select 'it''s; -- not /* a comment', \"genre\" from purchases",
    '-- sales\nselect /* of /* all */ genres */ genre from purchases',
    'with a as (select genre from purchases), b as (select * from a) select * from a join b using (genre)',
    'with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select sum(n) from t',
    'select * from purchases a, lateral (select a.user_age + 1 as next) b',
    'select x from unnest([1, 2, 3]) t(x)',
    'select unnest([1, 2])',
    'select genre from purchases union all select author from purchases except select title from purchases',
    'select genre, row_number() over (partition by genre order by purchase_timestamp desc) from purchases qualify 1 = 1',
    'select count(*) filter (where user_age > 30), approx_distinct(user_id), round(avg(user_age), 1) from purchases',
    "select case when genre like 'F%' then coalesce(title, '') end, cast(user_age as double), try_cast(title as integer) from purchases",
    "select date_trunc('day', purchase_timestamp), extract(year from purchase_timestamp), purchase_timestamp + interval '1' day, current_date from purchases",
    "select list_transform([1, 2], lambda x: x + 1), [x * 2 for x in [1, 2]], {'a': 1}.a, map([1], [2])",
    'select genre from purchases where user_age in (select max(user_age) from purchases) and exists (select 1) and user_age between 1 and 2',
    'select user_id from purchases group by grouping sets ((user_id), ()) having count(*) > 1 order by all limit 5 offset 2',
    'select 1e5, 1E-5, 1.5e3, .5e+2, 1_000, 0x1F, 1e from purchases',
    "select date'2020-01-01', from_hex('41'), interval'1'day",
    'select\u00a01,\u20032',
    'select * exclude (title) replace (lower(genre) as genre) from purchases tablesample 10%',
  ])('the gate lets %s pass', async (sql) => {
    await expect(gate.check(sql)).resolves.toBeDefined();
  });
});

describe('refused statements', () => {
  const notAllowed: readonly (readonly [string, RegExp])[] = [
    // more than one statement
    ['select 1; select 2', /second one begins at line 1, column 11/],
    ['select 1;\n\ndrop table purchases', /second one begins at line 3, column 1/],
    ['select 1; ; select 2', /second one/],
    ['/* */ select 1 -- ;\n; delete from purchases', /second one/],
    // anything but a query
    ['drop table purchases', /only a SELECT/],
    ['delete from purchases', /only a SELECT/],
    ["insert into purchases values ('a')", /only a SELECT/],
    ["update purchases set genre = 'x'", /only a SELECT/],
    ['create table t as select 1', /only a SELECT/],
    ['create view v as select 1', /only a SELECT/],
    ["copy (select 1) to '/tmp/x'", /only a SELECT/],
    ["copy purchases from '/etc/passwd'", /only a SELECT/],
    ["attach '/tmp/x.db'", /only a SELECT/],
    ['pragma version', /only a SELECT/],
    ['set threads = 100', /only a SELECT/],
    ["set variable a = 'x'", /only a SELECT/],
    ['reset all', /only a SELECT/],
    ['explain select 1', /only a SELECT/],
    ['explain analyze select 1', /only a SELECT/],
    ['install httpfs', /only a SELECT/],
    ["load '/tmp/x'", /only a SELECT/],
    ['call pragma_version()', /only a SELECT/],
    ['checkpoint', /only a SELECT/],
    ['begin', /only a SELECT/],
    ['prepare p as select 1', /only a SELECT/],
    ['execute p', /only a SELECT/],
    ["export database '/tmp/x'", /only a SELECT/],
    ['use bookstore', /only a SELECT/],
    ['vacuum', /only a SELECT/],
    ['with a as (select 1) delete from purchases', /only a SELECT/],
    ['pivot purchases on genre using count(*)', /only a SELECT/],
    ['describe purchases', /DESCRIBE, SHOW and SUMMARIZE/],
    ['show tables', /DESCRIBE, SHOW and SUMMARIZE/],
    ['summarize purchases', /DESCRIBE, SHOW and SUMMARIZE/],
    ['select * from (describe purchases)', /DESCRIBE, SHOW and SUMMARIZE/],
    ['select * from (show databases)', /DESCRIBE, SHOW and SUMMARIZE/],
    ["select * from purchases pivot (count(*) for genre in ('a'))", /PIVOT/],
    // files and other tables
    [
      "select * from '/etc/passwd'",
      /line 1, column 15: the table "\/etc\/passwd" is not allowed; there are purchases, bookstore\.purchases/,
    ],
    ["from 's3://other/x.parquet'", /is not allowed/],
    ['select * from "/etc/passwd"', /is not allowed/],
    ['select * from "purchases.parquet"', /is not allowed/],
    ['select * from secrets', /the table "secrets"/],
    ['select * from other.purchases', /the table "other.purchases"/],
    ['select * from memory.bookstore.purchases', /is not allowed/],
    ['select * from main.purchases', /is not allowed/],
    ['select * from information_schema.tables', /is not allowed/],
    ['select * from pg_catalog.pg_tables', /is not allowed/],
    ['select * from sqlite_master', /is not allowed/],
    ['select * from duckdb_settings', /is not allowed/],
    ["select (select count(*) from '/etc/passwd')", /is not allowed/],
    ["select 1 where exists (select 1 from purchases where genre in (select a from (select * from 'x.csv')))", /is not allowed/],
    ["select * from purchases union select * from 'x.csv'", /is not allowed/],
    ["select * from purchases join 'x.csv' using (a)", /is not allowed/],
    ["select * from purchases p, lateral (select * from 'x.csv') q", /is not allowed/],
    ["select 1 order by (select count(*) from 'x.csv')", /is not allowed/],
    ["select 1 limit (select count(*) from 'x.csv')", /is not allowed/],
    ["select count(*) filter (where (select true from 'x.csv')) over (partition by (select 1)) from purchases", /is not allowed/],
    // names of WITH queries where DuckDB does not resolve them
    ['with a as (select * from a) select * from a', /the table "a"/],
    ['with recursive a as (select * from a) select * from a', /the table "a"/],
    ['with recursive a as (select * from a union all select 1) select 1', /the table "a"/],
    ['with a as (select * from b), b as (select 1) select * from a', /the table "b"/],
    ['select * from (with a as (select 1) select * from a) t, a', /the table "a"/],
    ['with a as (select 1) select * from bookstore.a', /the table "bookstore.a"/],
    ['select * from (with "/etc/passwd" as (select 1) select 1) t, "/etc/passwd"', /is not allowed|must be letters/],
    ['with "/etc/passwd" as (select 1) select * from "/etc/passwd"', /must be letters/],
    ['with "x.csv" as (select * from "x.csv") select 1', /must be letters/],
    // functions that read
    ["select * from read_csv('/etc/passwd')", /line 1, column 15: the table function "read_csv" is not allowed/],
    ["select * from READ_PARQUET('s3://x/*')", /"read_parquet"/],
    ["select * from read_text('/etc/passwd')", /"read_text"/],
    ["select * from read_blob('/etc/passwd')", /"read_blob"/],
    ["select * from read_json_auto('x')", /"read_json_auto"/],
    ["select * from parquet_scan('x')", /"parquet_scan"/],
    ["select * from parquet_metadata('x')", /"parquet_metadata"/],
    ["select * from glob('*')", /"glob"/],
    ["select * from sniff_csv('x')", /"sniff_csv"/],
    ["select * from query('drop table x')", /"query"/],
    ["select * from query_table('x')", /"query_table"/],
    ['select * from duckdb_settings()', /"duckdb_settings"/],
    ['select * from duckdb_secrets()', /"duckdb_secrets"/],
    ['select * from duckdb_functions()', /"duckdb_functions"/],
    ['select * from duckdb_logs()', /"duckdb_logs"/],
    ["select * from pragma_table_info('purchases')", /"pragma_table_info"/],
    ['select * from pragma_version()', /"pragma_version"/],
    ["select * from json_execute_serialized_sql('{}')", /"json_execute_serialized_sql"/],
    ["select * from read_duckdb('x')", /"read_duckdb"/],
    ["select * from sql_auto_complete('sel')", /"sql_auto_complete"/],
    ["select * from which_secret('s3://x', 's3')", /"which_secret"/],
    ["call enable_logging('HTTP')", /only a SELECT/],
    ["select * from enable_logging('HTTP')", /"enable_logging"/],
    ['select * from force_checkpoint()', /"force_checkpoint"/],
    ['select * from purchases, lateral read_csv(title)', /"read_csv"/],
    ["select getenv('HOME')", /line 1, column 8: the function "getenv" is not allowed/],
    ["select main.getenv('HOME')", /"getenv"/],
    ["select system.main.getenv('HOME')", /without a schema/],
    ['select genre.getenv() from purchases', /"getenv"/],
    ["select 'ü', getenv('A')", /line 1, column 13: the function "getenv"/],
    ["select getvariable('a')", /"getvariable"/],
    ["select current_setting('s3_secret_access_key')", /"current_setting"/],
    ['select current_database()', /"current_database"/],
    ['select current_user', /"current_user"/],
    ['select version()', /"version"/],
    ['select current_query()', /"current_query"/],
    ["select nextval('s')", /"nextval"/],
    ["select write_log('x')", /"write_log"/],
    ["select error('x')", /"error"/],
    ["select json_serialize_sql('select 1')", /"json_serialize_sql"/],
    ['select setseed(0.1)', /"setseed"/],
    ['select sleep_ms(100000)', /"sleep_ms"/],
    ['select pg_sleep(100)', /"pg_sleep"/],
    ["select repeat('x', 2000000000)", /"repeat"/],
    ["select * from repeat('x', 2000000000)", /"repeat"/],
    ["select lpad('x', 2000000000, 'y')", /"lpad"/],
    ["select format('{:>2000000000}', 'x')", /"format"/],
    ["select sum(user_age) over (order by getenv('A')) from purchases", /"getenv"/],
    ["select list_transform([1], lambda x: getenv('A'))", /"getenv"/],
    ["select case when true then getenv('A') end", /"getenv"/],
    ["select 1 group by getenv('A') having getenv('A') = ''", /"getenv"/],
    ["select unnest(read_text('x'))", /"read_text"/],
    ["select * replace (getenv('A') as genre) from purchases", /"getenv"/],
    ["select cast(getenv('A') as varchar), try_cast(1 as integer)", /"getenv"/],
    ["select * from (values (getenv('A')))", /"getenv"/],
    ["select * from unnest([getenv('A')])", /"getenv"/],
    ["select distinct on (getenv('A')) genre from purchases", /"getenv"/],
    // every other place where the grammar takes an expression or a query
    ["select lag(genre, 1, getenv('A')) over () from purchases", /"getenv"/],
    ["select lag(genre, getenv('A')::int) over () from purchases", /"getenv"/],
    ["select sum(1) over (order by genre rows between getenv('A')::int preceding and current row) from purchases", /"getenv"/],
    ["select sum(1) over (order by genre rows between 1 preceding and getenv('A')::int following) from purchases", /"getenv"/],
    ["select string_agg(genre, ',' order by getenv('A')) from purchases", /"getenv"/],
    ["select mode() within group (order by getenv('A')) from purchases", /"getenv"/],
    ["select * from range(getenv('A')::int)", /"getenv"/],
    ["select * from range((select count(*) from 'x.csv'))", /is not allowed/],
    ["select * from purchases at (timestamp => getenv('A')::timestamp)", /"getenv"/],
    ["select * from purchases p join purchases q on getenv('A') = ''", /"getenv"/],
    ["select * from purchases positional join 'x.csv'", /is not allowed/],
    ["select * from purchases p asof join 'x.csv' q on p.user_age >= q.a", /is not allowed/],
    ["select * from purchases p semi join 'x.csv' q using (a)", /is not allowed/],
    ["with recursive t as (select 1 as a union all select (select max(b) from 'x.csv') from t) select * from t", /is not allowed/],
    ["with t as materialized (select getenv('A')) select 1", /"getenv"/],
    ["with t as (from 'x.csv') select 1", /is not allowed/],
    ["select [getenv(x) for x in ['A']]", /"getenv"/],
    ["select [x for x in ['A'] if getenv(x) is null]", /"getenv"/],
    ["select ['A'].getenv()", /"getenv"/],
    ["select columns(c -> getenv('A') = '') from purchases", /"getenv"/],
    ["select {'a': getenv('A')}, map {'a': 1}", /"getenv"/],
    ["select array(select a from 'x.csv')", /is not allowed/],
    ["select 1 = any(select a from 'x.csv')", /is not allowed/],
    ["select (from 'x.csv')", /is not allowed/],
    ["select * replace ((select 1 from 'x.csv') as genre) from purchases", /is not allowed/],
    ["select 'a' like 'b' escape getenv('A')", /"getenv"/],
    ["select interval (getenv('A')) day", /"getenv"/],
    ["select 1 limit getenv('A')::int", /"getenv"/],
    ["select 1 offset getenv('A')::int", /"getenv"/],
    ["select 1 group by cube(getenv('A'))", /"getenv"/],
    ["select 1 union by name select getenv('A')", /"getenv"/],
    ["values (getenv('A'))", /"getenv"/],
    ['table "x.csv"', /is not allowed/],
    ["(from 'x.csv')", /is not allowed/],
    ['select "getenv"(\'A\')', /"getenv"/],
    ["select gEtEnV('A')", /"getenv"/],
    ["select \uff47etenv('A')", /is not allowed/],
    ["select * from purchases, unnest(read_text('x'))", /"read_text"/],
    [`with ${Array.from({ length: 201 }, (_, n) => `a${n} as (select 1)`).join(', ')} select 1`, /at most 200 WITH queries/],
  ];
  it.each(notAllowed)('the gate refuses %s', async (sql, detail) => {
    const error = await refusalOf(sql);
    expect(error.code).toBe('statement-not-allowed' satisfies QueryErrorCode);
    expect(error.message).toMatch(detail);
  });

  it.each([
    ['select a from where', /line 1, column 15: syntax error/],
    ["select 'ü',\n  from from", /line 2, column 8: syntax error/],
    ['select a from purchases window w as (order by getenv(genre))', /line 1, column 25: the WINDOW clause/],
    ['', /./],
    ['   -- nothing\n', /./],
    ['hello', /line 1, column 1/],
    ["select 'open", /line 1, column 8: a string is not closed/],
    ['select "open', /a quoted name is not closed/],
    ['select 1 /* open /* */', /line 1, column 10: a comment is not closed/],
    ["select E'\\'' from purchases", /prefix E/],
    ["select e'x'", /prefix E/],
    ["select x'41'", /line 1, column 9: literals of bytes are not allowed; write from_hex/],
    ["select B'01'", /literals of bits/],
    ["select n'x'", /prefix N/],
    ['select 1e400', /line 1, column 8: the number is out of range/],
    ["select '1e400' as a, -1.5e999", /line 1, column 23: the number is out of range/],
    ['select 1 where 1 < 1e309', /line 1, column 20: the number is out of range/],
    ["select U&'x'", /prefix U&/],
    ['select $$x$$', /dollar quotes/],
    ['select $1', /dollar quotes/],
    ['select $name', /dollar quotes/],
    ['select ?1', /a single \?/],
    ['select `genre` from purchases', /backticks/],
    ["select 'a\u0000b'", /./],
    ["select 1e'\\' from purchases'", /a number must be followed by/],
    ['select 1e"a"', /a number must be followed by/],
    ["select 1 where 1 = 1window w as (order by getenv('A'))", /a number must be followed by/],
    ['select 12from purchases', /a number must be followed by/],
    ['select 1 a, b \ud800 c', /line 1, column 15: an unpaired surrogate/],
    ["select '\udc00'", /an unpaired surrogate/],
    [`select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, /memory exhausted/],
  ])('the gate cannot read %s', async (sql, detail) => {
    const error = await refusalOf(sql);
    expect(error.code).toBe(
      sql.trim().startsWith('--') || sql === '' ? 'statement-not-allowed' : ('statement-invalid' satisfies QueryErrorCode),
    );
    expect(error.message).toMatch(detail);
  });

  it('text that only DuckDB takes for a comment never reaches an engine', async () => {
    const { text } = await gate.check('select 1 /* /* */ from secrets -- */ as one');
    expect(text).not.toContain('secrets');
    expect(text).toBe(`select 1 ${' '.repeat(27)} as one`);
  });

  it.each([
    ['a wide tree', `select ${'a,'.repeat(32_000)}a`],
    ['a tree that needs more memory than the parser has', `select ${'?,'.repeat(32_000)}?`],
    ['many conditions', `select a${' and a'.repeat(10_900)}`],
    ['many queries', `select 1${' union all select 1'.repeat(3400)}`],
  ])('a statement that would hold up the event loop is refused: %s', async (_what, sql) => {
    const error = await refusalOf(sql);
    expect(error.code).toBe('statement-not-allowed');
    expect(error.message).toMatch(/too complex/);
  });

  it.each([
    ['casts', `select 1${'::int'.repeat(13_000)}`],
    ['sums', `select 1${'+1'.repeat(32_000)}`],
    ['calls', `select ${'abs('.repeat(10_000)}1${')'.repeat(10_000)}`],
    ['subqueries', `${'select * from ('.repeat(4000)}purchases${')'.repeat(4000)}`],
    ['joins', `from purchases${' cross join purchases'.repeat(3000)}`],
    ['WITH queries in each other', `${'with a as ('.repeat(2000)}select 1${') select 1'.repeat(2000)}`],
    ['types', `select cast(1 as int${'[]'.repeat(32_000)})`],
  ])('a deep statement ends in a problem and not in a crash: %s', async (_what, sql) => {
    expect((await refusalOf(sql)).code).toBe('statement-invalid');
  });
});

describe('random statements', () => {
  const words = [
    ...'select from where group by order limit union with recursive as purchases a b ( ) [ ] { } , . ; : :: -> => ? * + - / ^ ~ || = <> ! @> #1 $'.split(
      ' ',
    ),
    ...'case when then end cast try_cast lambda x: columns(*) exclude replace pivot unpivot lateral asof positional join using over window'.split(
      ' ',
    ),
    ...'summarize describe show table values unnest range tablesample 10% at collate grouping sets cube enum struct(a int) map'.split(' '),
    "''",
    "'a'",
    '"a"',
    '""',
    "x'4'",
    "e'x'",
    '\\',
    '/*',
    '*/',
    '--',
    '\n',
    '\u212a',
    '\u017f',
    '\ufeff',
    '\u200b',
    '\u3000',
    '😀',
    '\u0301',
  ];
  const number = fc.oneof(
    fc.bigInt().map(String),
    fc.double().map(String),
    fc.tuple(fc.nat(400), fc.nat(9), fc.integer({ min: -500, max: 500 })).map(([a, b, exponent]) => `${a}.${b}e${exponent}`),
    fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }))
      .map(([whole, fraction]) => `${'9'.repeat(whole)}.${'1'.repeat(fraction)}`),
  );

  it('the gate passes or refuses a statement, whatever the statement holds', async () => {
    const statement = fc.array(
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, { weight: 2, arbitrary: number }, fc.string({ maxLength: 4 })),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(statement, fc.constantFrom('select ', 'select * from ', ''), async (tokens, start) => {
        expect(['passed', 'statement-invalid', 'statement-not-allowed']).toContain(await outcomeOf(start + tokens.join(' ')));
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  it('a number never causes an internal error', async () => {
    await fc.assert(
      fc.asyncProperty(number, async (literal) => {
        expect(['passed', 'statement-invalid']).toContain(await outcomeOf(`select ${literal} as a`));
      }),
      { numRuns: 300, seed: 8 },
    );
  });
});

describe('placeholders', () => {
  it('placeholders are found outside strings, names and comments only', async () => {
    const sql = `select '?', "a?" , ? /* ? */ from purchases -- ?\n where genre = ?`;
    const { placeholders, text } = await gate.check(sql);
    expect(placeholders).toEqual([sql.indexOf(', ?') + 2, sql.lastIndexOf('?')]);
    expect(text.length).toBe(sql.length);
  });
});
