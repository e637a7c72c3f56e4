import type { EngineName } from '@millrace/contracts';

/**
 * The outcome of a hostile statement. The gate refuses it with a code, or an engine contains it. The engine gives harmless rows, refuses
 * the statement, or ends it at a limit of memory, time or length.
 */
export type HostileOutcome =
  | 'refused: statement-not-allowed'
  | 'refused: statement-invalid'
  | 'contained: harmless rows'
  | 'contained: the engine refuses it'
  | 'contained: a limit ends it';

/** A statement that tries to read, to change or to exhaust more than it may. */
export interface HostileStatement {
  readonly kind: string;
  readonly sql: string;
  readonly outcome: HostileOutcome;
  /** Engines that run it. The Athena emulator has no limits: it does not get what exhausts a machine. */
  readonly engines: readonly EngineName[];
}

const notAllowed = 'refused: statement-not-allowed';
const invalid = 'refused: statement-invalid';
const rows = 'contained: harmless rows';
const engineRefuses = 'contained: the engine refuses it';
const limit = 'contained: a limit ends it';
const kelvin = '\u212A';
const longS = '\u017F';
const dottedI = '\u0130';
const bothEngines: readonly EngineName[] = ['duckdb', 'athena'];
/** Unicode has printable ASCII a second time, 0xfee0 further on, as wide as the characters of Chinese. */
const fullwidth = (text: string): string => text.replaceAll(/\w/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));

function all(kind: string, outcome: HostileOutcome, statements: readonly string[], engines = bothEngines): HostileStatement[] {
  return statements.map((sql) => ({ kind, sql, outcome, engines }));
}

/** Hostile statements with their outcomes. The gate and the engines are tested on each of them. */
export const hostileStatements: readonly HostileStatement[] = [
  ...all('Unicode case folding', notAllowed, [
    `WITH "duc${kelvin}db_logs" AS (SELECT 1) SELECT message FROM duckdb_logs`,
    `WITH "duc${kelvin}db_views" AS (SELECT 1) SELECT sql FROM duckdb_views`,
    `WITH "DUC${kelvin}DB_DATABASES" AS (SELECT 1) SELECT * FROM duckdb_databases`,
    `WITH RECURSIVE "duc${kelvin}db_tables" AS (SELECT 1) SELECT * FROM duckdb_tables`,
    `WITH "duc${kelvin}db_logs" AS MATERIALIZED (SELECT 1) SELECT (SELECT count(*) FROM duckdb_logs)`,
    `WITH a AS (WITH "duc${kelvin}db_logs" AS (SELECT 1) SELECT * FROM duckdb_logs) SELECT * FROM a`,
    `WITH "pg_cla${longS}${longS}" AS (SELECT 1) SELECT * FROM pg_class`,
    `WITH "${longS}qlite_master" AS (SELECT 1) SELECT * FROM sqlite_master`,
    `WITH "sql${dottedI}te_master" AS (SELECT 1) SELECT * FROM sqlite_master`,
    `WITH "sqlıte_master" AS (SELECT 1) SELECT * FROM sqlite_master`,
    `WITH ${fullwidth('duckdb_logs')} AS (SELECT 1) SELECT * FROM duckdb_logs`,
    `WITH duckdb_logs AS (SELECT 1) SELECT * FROM ${fullwidth('duckdb_logs')}`,
    `SELECT * FROM "duc${kelvin}db_logs"`,
    `SELECT * FROM "purcha${longS}es"`,
    `SELECT * FROM boo${kelvin}store.purchases`,
    `SELECT ${fullwidth('getenv')}('HOME')`,
    `SELECT * FROM ${fullwidth('range')}(3)`,
    `SELECT loca${longS}('x')`,
    `SELECT * FROM duc${kelvin}db_settings()`,
  ]),
  ...all('quoted and mixed-case names', notAllowed, [
    'SELECT * FROM "DuckDB_Logs"',
    'SELECT * FROM DUCKDB_SETTINGS()',
    'SELECT * FROM "main"."duckdb_views"',
    'SELECT * FROM system.main.duckdb_views',
    'SELECT * FROM "system"."information_schema"."tables"',
    'SELECT * FROM temp.main.purchases',
    'SELECT "GetEnv"(\'HOME\')',
    'SELECT MAIN."GETENV"(\'HOME\')',
    'SELECT * FROM "Read_Text"(\'/etc/passwd\')',
    'SELECT * FROM "bookstore"."duckdb_logs"',
    'SELECT * FROM "bookstore.purchases"',
  ]),
  ...all('CTE shadowing', notAllowed, [
    'WITH duckdb_logs AS (SELECT 1) SELECT * FROM duckdb_logs',
    'WITH "DUCKDB_VIEWS" AS (SELECT 1) SELECT * FROM duckdb_views',
    'WITH sqlite_master AS (SELECT 1) SELECT * FROM sqlite_master',
    'WITH pg_tables AS (SELECT 1) SELECT * FROM pg_tables',
    'WITH pragma_database_list AS (SELECT 1) SELECT * FROM pragma_database_list',
    'WITH a AS (SELECT 1) SELECT * FROM (WITH b AS (SELECT 2) SELECT * FROM b) t, b',
    'WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a',
    'WITH RECURSIVE a AS (SELECT * FROM a) SELECT 1',
    'WITH a AS (SELECT 1) SELECT * FROM main.a',
    'WITH purchases AS (SELECT 1) SELECT * FROM main.duckdb_logs',
    "WITH read_text AS (SELECT 1) SELECT * FROM read_text('/etc/passwd')",
    'WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM recurring.a WHERE n < 3) SELECT * FROM a',
    'WITH "/etc/passwd" AS (SELECT 1) SELECT * FROM \'/etc/passwd\'',
  ]),
  ...all('text that runs as a statement', notAllowed, [
    "SELECT * FROM query('SELECT * FROM duckdb_settings()')",
    "SELECT * FROM query_table('duckdb_logs')",
    "SELECT * FROM query_table(['purchases', 'duckdb_logs'])",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM sql_auto_complete('SEL')",
    "SELECT * FROM summary('duckdb_logs')",
    "SELECT * FROM histogram_values('duckdb_logs', 'message')",
    "SELECT * FROM histogram('duckdb_logs', 'message')",
    'SELECT * FROM test_all_types()',
  ]),
  ...all('settings, secrets, logs and the catalog', notAllowed, [
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM duckdb_secrets(redact = false)',
    'SELECT * FROM duckdb_logs',
    "SELECT * FROM duckdb_logs_parsed('HTTP')",
    'SELECT * FROM duckdb_functions()',
    'SELECT * FROM duckdb_temporary_files()',
    'SELECT * FROM duckdb_external_file_cache()',
    "SELECT * FROM which_secret('s3://bucket/x', 's3')",
    "SELECT current_setting('s3_secret_access_key')",
    "SELECT getvariable('x')",
    "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
    'SELECT current_user',
    'SELECT current_catalog',
    'SELECT current_database(), current_schema(), version()',
    'SELECT current_query()',
    "SELECT TIMESTAMP '2024-02-29 12:00:00' AT TIME ZONE 'Europe/Berlin'",
    "SELECT timezone('Europe/Berlin', now())",
    "SELECT * FROM pragma_table_info('purchases')",
    "SELECT * FROM pragma_storage_info('purchases')",
    'SELECT * FROM pragma_database_size()',
    'SELECT * FROM information_schema.tables',
    'SELECT * FROM information_schema.views',
    'SELECT * FROM pg_catalog.pg_settings',
    'SELECT * FROM sqlite_master',
    'PRAGMA database_list',
    'SELECT * FROM pragma_user_agent()',
  ]),
  ...all('files and other tables', notAllowed, [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/proc/self/environ')",
    "SELECT * FROM read_blob('/proc/self/mem')",
    "SELECT * FROM read_json('http://169.254.169.254/latest/meta-data')",
    "SELECT * FROM glob('/**')",
    "SELECT * FROM parquet_metadata('s3://bucket/x.parquet')",
    "SELECT * FROM parquet_kv_metadata('s3://bucket/x.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM read_duckdb('/tmp/x.db')",
    "SELECT * FROM 's3://another-bucket/x.parquet'",
    'SELECT * FROM "/etc/passwd"',
    "FROM 'https://example.org/x.csv'",
    'SELECT * FROM "x.parquet"',
    "SELECT * FROM purchases UNION ALL BY NAME FROM 'x.csv'",
    "SELECT * FROM purchases AT (VERSION => (SELECT content FROM read_text('/etc/passwd')))",
    "SELECT * FROM purchases POSITIONAL JOIN 'x.csv'",
    "SELECT * FROM purchases ASOF JOIN 'x.csv' x ON purchases.user_age >= x.a",
    "SELECT * REPLACE ((SELECT content FROM read_text('/etc/passwd')) AS genre) FROM purchases",
    "SELECT {'a': (SELECT content FROM read_text('/etc/passwd'))}",
    'SELECT COLUMNS(c -> getenv(c) IS NULL) FROM purchases',
    'SELECT COLUMNS(lambda c: getenv(c) IS NULL) FROM purchases',
    "SELECT list_transform(['HOME'], x -> getenv(x))",
    "SELECT list_transform(['HOME'], lambda x: getenv(x))",
    "SELECT [getenv(x) FOR x IN ['HOME']]",
    'SELECT genre.getenv() FROM purchases',
    "SELECT (['HOME']).getenv()",
    "SELECT a: getenv('HOME')",
    "FROM purchases SELECT getenv('HOME')",
    "FROM read_text('/etc/passwd')",
    "SELECT * FROM purchases TABLESAMPLE 10% (bernoulli), 'x.csv'",
  ]),
  ...all('statements that are no query', notAllowed, [
    'CREATE MACRO f() AS 1',
    "CREATE TABLE x AS SELECT * FROM read_text('/etc/passwd')",
    "COPY (SELECT 1) TO 's3://another-bucket/x'",
    "ATTACH 's3://another-bucket/x.db'",
    "SET s3_endpoint = 'example.org'",
    'DESCRIBE purchases',
    'SUMMARIZE purchases',
    'SHOW ALL TABLES',
    'SELECT * FROM (DESCRIBE purchases)',
    'FROM (SUMMARIZE purchases)',
    'PIVOT purchases ON genre USING count(*)',
    'SELECT * FROM (PIVOT purchases ON genre USING count(*))',
    "SELECT * FROM purchases PIVOT (count(*) FOR genre IN ('a'))",
    'EXPLAIN ANALYZE SELECT 1',
    'SELECT 1; DROP VIEW purchases',
    'SELECT 1 /* ; */; SET threads = 1 --',
    "CALL enable_logging('HTTP')",
    'LOAD httpfs',
  ]),
  ...all('comments, quotes and prefixes', invalid, [
    'SELECT $$ $$ || getenv($$HOME$$)',
    "SELECT $a$'$a$, getenv('HOME')",
    "SELECT E'\\'', getenv('HOME'), '",
    "SELECT U&'\\0041'",
    "SELECT X'41'",
    "SELECT B'0101'",
    'SELECT `genre` FROM purchases',
    'SELECT 1 /* /* */ FROM duckdb_logs',
    'SELECT $1',
    'SELECT ?1',
    "SELECT 1e'x' FROM purchases'",
    'SELECT genre FROM purchases WINDOW w AS (ORDER BY getenv(genre))',
    "SELECT 'a\0b'",
    'SELECT 1e400',
    `SELECT ${'9'.repeat(1000)} AS a`,
    "SELECT 'HOME'.getenv()",
    `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`,
    `SELECT CAST(1 AS INT${'[]'.repeat(32_000)})`,
    `SELECT 1${'+1'.repeat(32_000)}`,
  ]),
  ...all('statements too large for the gate', notAllowed, [
    `SELECT ${'?,'.repeat(32_000)}?`,
    `SELECT 1${' UNION ALL SELECT 1'.repeat(3400)}`,
    `SELECT ${'a,'.repeat(32_000)}a`,
    `WITH ${Array.from({ length: 201 }, (_, n) => `a${n} AS (SELECT 1)`).join(', ')} SELECT 1`,
  ]),
  ...all('functions that DuckDB cannot interrupt, or that allocate by a number', notAllowed, [
    "SELECT repeat('x', 2000000000)",
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT rpad('x', 2000000000, 'y')",
    "SELECT format('{:>2000000000}', 'x')",
    "SELECT printf('%2000000000d', 1)",
    'SELECT bar(1, 0, 1, 2000000000)',
    'SELECT list_resize([1], 2000000000)',
    'SELECT sleep_ms(3600000)',
    "SELECT * FROM repeat('x', 2000000000)",
    'SELECT * FROM repeat_row(1, num_rows = 2000000000)',
    "SELECT setseed(0.5), nextval('s')",
  ]),
  ...all("names that look hostile and are the statement's own", rows, [
    'WITH information_schema AS (SELECT 1 AS a) SELECT a FROM information_schema',
    'WITH duckdb_secrets AS (SELECT 1 AS a) SELECT a FROM duckdb_secrets',
    'WITH query AS (SELECT 1 AS a) SELECT a FROM query',
    'WITH getenv AS (SELECT 1 AS a) SELECT getenv.a FROM getenv',
    'WITH RECURSIVE range(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM range WHERE n < 3) SELECT * FROM range',
    'WITH purchases AS (SELECT 1 AS a) SELECT * FROM purchases',
    "SELECT 'FROM duckdb_logs' AS \"getenv('HOME')\"",
    'SELECT 1 /* nested /* comments */ FROM duckdb_logs */ AS a',
    'SELECT 1 AS a -- FROM duckdb_logs',
    "SELECT * LIKE 'gen%' FROM purchases",
    "SELECT COLUMNS('gen.*') FROM purchases",
    'SELECT a: 1, b: 2',
    'FROM purchases SELECT genre LIMIT 1',
    'SELECT genre FROM purchases TABLESAMPLE 10%',
    'SELECT * FROM purchases POSITIONAL JOIN (SELECT 1 AS one)',
  ]),
  ...all('names that the engine refuses', engineRefuses, [
    'SELECT * FROM purchases AT (VERSION => 1)',
    'SELECT CAST(1 AS getenv)',
    "SELECT list_aggregate([1], 'getenv')",
    'SELECT list_transform([1], lambda x: (SELECT count(*) FROM purchases))',
    'SELECT purchases.sql FROM purchases',
  ]),
  // The emulator reads each column that a file has, also those that Athena's catalog does not declare.
  ...all(
    'columns that the table does not declare',
    engineRefuses,
    ['SELECT _offset FROM purchases', 'SELECT filename FROM purchases', 'SELECT rowid, file_index FROM purchases'],
    ['duckdb'],
  ),
  ...all('a list longer than DuckDB makes', engineRefuses, ['SELECT length(range(1000000000000))'], ['duckdb']),
  ...all(
    'time and memory bombs',
    limit,
    [
      'SELECT count(*) FROM range(1000000000) a(x), range(1000000000) b(y) WHERE a.x % 7 = b.y % 5',
      'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t',
      "WITH RECURSIVE t(s) AS (SELECT 'xxxxxxxxxx' UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
      'SELECT count(*) FROM range(1000000000000)',
      'SELECT list(range) FROM range(1000000000000)',
      "SELECT length(string_agg(md5(CAST(range AS VARCHAR)), '')) FROM range(100000000)",
      "SELECT length(list_reduce(['xxxxxxxxxx' FOR i IN range(40)], lambda a, b: a || a))",
      "WITH s AS (SELECT string_agg('xxxxxxxxxx', '') AS a FROM range(1000000)) SELECT sum(length(a || a || range)) FROM s, range(100000)",
      "WITH s AS (SELECT string_agg('x', '') AS a FROM range(100000)) SELECT sum(levenshtein(a, a || range)) FROM s, range(1000)",
      'SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY md5(CAST(range AS VARCHAR))) AS n FROM range(100000000))',
      'SELECT count(DISTINCT md5(CAST(range AS VARCHAR))) FROM range(1000000000)',
      'SELECT histogram(range) FROM range(100000000)',
      'SELECT unnest(range(1000000)) , unnest(range(1000000)) FROM range(1000000)',
      'SELECT * FROM generate_series(1, 1000000000000)',
      'SELECT length(list_transform(range(100000000), lambda x: range(100)))',
      "SELECT replace(string_agg('xxxxx', ''), 'x', 'yyyyyyyyyy') || b.range FROM range(80000) a, range(250) b GROUP BY b.range",
    ],
    ['duckdb'],
  ),
  ...all('large statements that end by themselves', rows, [
    "SELECT regexp_matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a+)+$')",
    "SELECT regexp_replace('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '(a*)*b', 'x')",
    'SELECT 99999999999999999999999999999999999999 AS a',
    `SELECT length('${'x'.repeat(60_000)}')`,
    `SELECT ${'abs('.repeat(100)}1${')'.repeat(100)}`,
  ]),
];
