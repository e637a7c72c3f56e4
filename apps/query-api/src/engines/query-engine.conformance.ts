import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultCell } from '@millrace/contracts';
import { QueryError, QueryStopped } from '../errors.ts';
import type { EngineRequest, Parameter, QueryEngine, ResultColumn } from './query-engine.ts';
import { columnKind } from '../results/formats/column-kinds.ts';
import { typedReader } from '../results/formats/typed-cells.ts';
import { engineRequest, runToEnd } from '../testing-engine.ts';
import type { TestPurchase } from '../testing-lake.ts';

/** Needs of the suite: an engine over a table `purchases` in database `database`. */
export interface ConformanceSubject {
  readonly engine: QueryEngine;
  readonly database: string;
  /** The part of an execution's id that stays the same while the execution moves on. Default: the whole id. */
  readonly executionOf?: (executionId: string) => string;
  close(): Promise<void>;
}

/** Behaviour that an engine may lack, each with the reason, which is in the name of the skipped test. */
export type Lacking = { readonly [behaviour in 'decimal types' | 'nested values' | 'positions' | 'scan limit' | 'stop']?: string };

/** Rows of the table that every engine must find. */
export const conformanceRows = [
  { genre: 'Fiction', userId: 'ann', userAge: 30, purchaseTimestamp: 1_575_121_641, dt: '2019-11-30' },
  { genre: 'Fiction', userId: 'bob', userAge: 41, purchaseTimestamp: 1_575_121_642, dt: '2019-11-30' },
  { genre: "Poet's", userId: 'ann', userAge: 30, purchaseTimestamp: 1_575_158_400, dt: '2019-12-01' },
] as const;

interface Answer {
  columns: readonly ResultColumn[];
  rows: readonly (readonly ResultCell[])[];
}

/** The end of a test's name: why it is skipped. Empty where it runs. */
export function skipNote(reason: string | undefined): string {
  return reason === undefined ? '' : ` (skipped: ${reason})`;
}

/** A statement over 10 thousand million rows. */
const endless = `WITH digits AS (SELECT n FROM (VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)) AS t(n))
  SELECT count(*) AS n FROM ${Array.from('abcdefghij')
    .map((name) => `digits ${name}`)
    .join(', ')} WHERE (a.n * b.n + c.n * j.n) % 7 = (d.n + e.n) % 5`;

/**
 * One suite for every engine: the behaviour that the rest of the app relies on.
 *
 * @param open opens the engine over a table with these rows
 * @param options what the engine lacks; and why the suite is skipped, undefined where the engine is there
 */
export function engineConformance(
  name: string,
  open: (rows: readonly TestPurchase[]) => Promise<ConformanceSubject>,
  { lacking = {}, missing }: { readonly lacking?: Lacking; readonly missing?: string | undefined } = {},
): void {
  describe.skipIf(missing !== undefined)(`engine ${name}${skipNote(missing)}`, () => {
    let subject: ConformanceSubject;
    beforeAll(async () => {
      subject = await open(conformanceRows);
    });
    afterAll(async () => await subject?.close());

    const ask = async (sql: string, parameters: readonly Parameter[] = [], extra: Partial<EngineRequest> = {}): Promise<Answer> => {
      const { result, rows } = await runToEnd(subject.engine, engineRequest(sql, { parameters, ...extra }));
      return { columns: result.columns, rows };
    };

    it('the engine answers rows in order, with integers of 64 bits as strings and doubles as numbers', async () => {
      const { columns, rows } = await ask(
        'SELECT genre, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS average_age FROM purchases GROUP BY genre ORDER BY purchases DESC, genre',
      );
      expect(columns).toEqual([
        { name: 'genre', type: 'varchar' },
        { name: 'purchases', type: 'bigint' },
        { name: 'buyers', type: 'bigint' },
        { name: 'average_age', type: 'double' },
      ]);
      expect(rows).toEqual([
        ['Fiction', '2', '2', 35.5],
        ["Poet's", '1', '1', 30],
      ]);
    });

    it('the engine gives every declared type its own kind of cell', async () => {
      const { columns, rows } = await ask(
        "SELECT user_age, purchase_timestamp, dt, user_age > 35 AS older, CAST(NULL AS VARCHAR) AS nothing, DATE '2020-02-29' AS day FROM purchases ORDER BY purchase_timestamp LIMIT 2",
      );
      // The precision is the engine's.
      expect(columns.map(({ type }) => type.replace(/\(\d\)$/, ''))).toEqual([
        'integer',
        'timestamp',
        'varchar',
        'boolean',
        'varchar',
        'date',
      ]);
      expect(rows).toEqual([
        [30, '2019-11-30 13:47:21', '2019-11-30', false, null, '2020-02-29'],
        [41, '2019-11-30 13:47:22', '2019-11-30', true, null, '2020-02-29'],
      ]);
    });

    it('the engine resolves the table with and without its database', async () => {
      const { rows } = await ask(`SELECT (SELECT count(*) FROM purchases) AS a, (SELECT count(*) FROM ${subject.database}.purchases) AS b`);
      expect(rows).toEqual([['3', '3']]);
    });

    it('the engine binds parameters in order, whatever they hold', async () => {
      const { rows } = await ask(
        'SELECT ? AS a, genre, ? AS c, ? AS d, ? AS e FROM purchases WHERE genre = ? AND user_age >= ? AND dt > ? ORDER BY 1 LIMIT 1',
        ["it's ? -- \\'", true, 1.5, null, "Poet's", -5, '2019-11-30'],
      );
      expect(rows).toEqual([["it's ? -- \\'", "Poet's", true, 1.5, null]]);
    });

    it('a number below zero stays a number next to a minus', async () => {
      expect((await ask('SELECT CAST(1 -? AS INTEGER) AS a', [-1])).rows).toEqual([[2]]);
    });

    it('the engine takes a whole number where an integer must be', async () => {
      const { rows } = await ask(
        "SELECT substr('Orlando', 1, ?) AS a, round(24.56, ?) AS b, chr(?) AS c FROM purchases LIMIT 1",
        [4, 0, 65],
      );
      expect(rows.map(([a, b, c]) => [a, Number(b), c])).toEqual([['Orla', 25, 'A']]);
    });

    it('text keeps a leading U+FEFF, and bytes have one text', async () => {
      const { rows } = await ask("SELECT ? AS a, length(?) AS n, from_hex('41ff') AS b", ['\uFEFF', '\uFEFFx']);
      expect(rows).toEqual([['\uFEFF', '2', String.raw`A\xFF`]]);
    });

    it('an answer without rows still has its columns', async () => {
      expect(await ask("SELECT genre FROM purchases WHERE genre = 'none'")).toEqual({
        columns: [{ name: 'genre', type: 'varchar' }],
        rows: [],
      });
    });

    it('the engine carries more rows than one page holds', async () => {
      const { rows } = await ask(
        'WITH digits AS (SELECT n FROM (VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)) AS t(n)) SELECT a.n * 1000 + b.n * 100 + c.n * 10 + d.n AS n FROM digits a, digits b, digits c, digits d ORDER BY 1',
      );
      expect(rows).toHaveLength(10_000);
      expect(rows[0]).toEqual([0]);
      expect(rows.at(-1)).toEqual([9999]);
    });

    it('the engine keeps every digit of integers and decimals, and has text for numbers that JSON lacks', async () => {
      const { columns, rows } = await ask(
        "SELECT CAST(9223372036854775807 AS BIGINT) AS a, CAST('1.50' AS DECIMAL(10,2)) AS b, CAST('12345678901234567890123456789012345678' AS DECIMAL(38,0)) AS c, CAST('NaN' AS DOUBLE) AS d, CAST('-Infinity' AS DOUBLE) AS e, CAST(0.1 AS REAL) AS f, CAST(1e300 AS DOUBLE) AS g, CAST(7 AS SMALLINT) AS h",
      );
      const names = columns.map(({ type }) => type.replace(/\(.*/, ''));
      expect(names).toEqual(['bigint', 'decimal', 'decimal', 'double', 'double', 'real', 'double', 'smallint']);
      expect(rows).toEqual([['9223372036854775807', '1.50', '12345678901234567890123456789012345678', 'NaN', '-Infinity', 0.1, 1e300, 7]]);
    });

    it.skipIf(lacking['decimal types'] !== undefined)(
      `the engine reports precision and scale of decimals${skipNote(lacking['decimal types'])}`,
      async () => {
        const { columns } = await ask("SELECT CAST('1.50' AS DECIMAL(10,2)) AS a, CAST('1' AS DECIMAL(38,0)) AS b");
        expect(columns.map(({ type }) => type)).toEqual(['decimal(10,2)', 'decimal(38,0)']);
      },
    );

    it.skipIf(lacking['decimal types'] !== undefined)(
      `each cell of the engine has its exact value in the typed formats of results${skipNote(lacking['decimal types'])}`,
      async () => {
        const { columns, rows } = await ask(
          "SELECT CAST(-9223372036854775807 AS BIGINT) AS a, CAST('-1.50' AS DECIMAL(10,2)) AS b, CAST('NaN' AS DOUBLE) AS c, CAST(7 AS SMALLINT) AS d, DATE '1969-12-31' AS e, TIMESTAMP '1969-12-31 23:59:59.5' AS f, TIME '00:00:01' AS g, from_hex('5cff') AS h, true AS i, CAST(NULL AS BIGINT) AS j",
        );
        const micros = 1_000_000n;
        const typed = columns.map((column, index) => typedReader(columnKind(column))(rows[0]![index]!));
        const bytes = Buffer.from([0x5c, 0xff]);
        expect(typed).toEqual([-9223372036854775807n, -150n, Number.NaN, 7, -1, -micros / 2n, micros, bytes, true, null]);
      },
    );

    it('the engine writes times without zeros at their end', async () => {
      const { rows } = await ask(
        "SELECT TIMESTAMP '2024-02-29 13:05:09.120' AS a, TIMESTAMP '2024-02-29 13:05:09' AS b, TIME '13:05:09' AS c",
      );
      expect(rows).toEqual([['2024-02-29 13:05:09.12', '2024-02-29 13:05:09', '13:05:09']]);
    });

    it.skipIf(lacking['nested values'] !== undefined)(
      `the engine gives nested values as JSON text${skipNote(lacking['nested values'])}`,
      async () => {
        const { columns, rows } = await ask(
          "SELECT ARRAY[1, NULL, 3] AS a, CAST(ROW(1, 'x') AS ROW(n INTEGER, t VARCHAR)) AS b, MAP(ARRAY['k'], ARRAY[CAST(9007199254740993 AS BIGINT)]) AS c, CAST(NULL AS INTEGER) AS d",
        );
        expect(columns.map(({ type }) => type)).toEqual(['array(integer)', 'row(n integer, t varchar)', 'map(varchar, bigint)', 'integer']);
        expect(rows).toEqual([['[1,null,3]', '{"n":1,"t":"x"}', '[{"key":"k","value":"9007199254740993"}]', null]]);
      },
    );

    it('the engine finds no rows and every column in a table into which nothing has landed', async () => {
      const empty = await open([]);
      try {
        const { result, rows } = await runToEnd(
          empty.engine,
          engineRequest('SELECT genre, max(user_age) AS age FROM purchases GROUP BY genre'),
        );
        expect(result.columns).toEqual([
          { name: 'genre', type: 'varchar' },
          { name: 'age', type: 'integer' },
        ]);
        expect(rows).toEqual([]);
      } finally {
        await empty.close();
      }
    });

    it('the engine lets a successor attach to the execution that a worker has handed over', async () => {
      const queryId = crypto.randomUUID();
      const started: string[] = [];
      const controller = new AbortController();
      const reason = new QueryStopped('handed-over');
      const onStart = async (id: string): Promise<void> => {
        started.push(id);
        controller.abort(reason);
      };
      await expect(ask('SELECT 1 AS one', [], { queryId, signal: controller.signal, onStarted: onStart })).rejects.toBe(reason);
      expect(started).toHaveLength(1);
      const onStarted = async (id: string): Promise<void> => void started.push(id);
      const again = await ask('SELECT 1 AS one', [], { queryId, onStarted, executionId: started[0]! });
      expect(again.rows).toEqual([[1]]);
      const { executionOf = (id: string) => id } = subject;
      expect([...new Set(started.map(executionOf))]).toHaveLength(1);
    });

    it('the engine answers a successor whose execution has ended already', async () => {
      const queryId = crypto.randomUUID();
      let last = '';
      const onStarted = async (id: string): Promise<void> => void (last = id);
      await ask('SELECT 1 AS one', [], { queryId, onStarted });
      expect((await ask('SELECT 1 AS one', [], { queryId, onStarted, executionId: last })).rows).toEqual([[1]]);
    });

    it('an unknown column is an error with a reason', async () => {
      const error = await ask('SELECT nothing_here FROM purchases').catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(QueryError);
      expect(['statement-invalid', 'engine-failed']).toContain((error as QueryError).code);
      expect((error as QueryError).message).toContain('nothing_here');
    });

    it.skipIf(lacking.positions !== undefined)(
      `the engine reports line and column of an error, with and without parameters${skipNote(lacking.positions)}`,
      async () => {
        for (const [sql, parameters, line, column] of [
          ['SELECT genre,\n  nothing_here FROM purchases', [], 2, 3],
          ["SELECT 'it''s', nothing_here FROM purchases WHERE genre = ?", ['x'], 1, 17],
          ["SELECT ? AS a,\n\n 'é''', nothing_here FROM purchases", ["'"], 3, 9],
        ] as const) {
          const error = await ask(sql, parameters).catch((caught: unknown) => caught);
          expect(error).toMatchObject({
            code: 'statement-invalid',
            message: expect.stringContaining(`line ${line}, column ${column}: `) as string,
            errors: [{ field: 'sql', line, column }],
          });
        }
      },
    );

    it.skipIf(lacking['scan limit'] !== undefined)(
      `the engine stops a statement that would read more bytes than its limit${skipNote(lacking['scan limit'])}`,
      async () => {
        const error = await ask('SELECT max(genre) AS a, max(user_id) AS b FROM purchases', [], { bytesScannedMax: 1 }).catch(
          (caught: unknown) => caught,
        );
        expect(error).toMatchObject({ code: 'engine-failed', message: expect.stringContaining('more than 1 bytes') as string });
        expect((await ask('SELECT max(genre) AS a FROM purchases', [], { bytesScannedMax: 1_000_000 })).rows).toEqual([["Poet's"]]);
      },
    );

    it.each(['cancelled', 'deadline'] as const)('a statement that is stopped before it runs ends with the reason %s', async (code) => {
      const controller = new AbortController();
      const reason = new QueryStopped(code);
      const running = ask(endless, [], { signal: controller.signal, onStarted: async () => controller.abort(reason) });
      await expect(running).rejects.toBe(reason);
    });

    it.skipIf(lacking.stop !== undefined)(
      `a statement that is cancelled while it runs ends with that reason, and the engine takes the next${skipNote(lacking.stop)}`,
      async () => {
        const controller = new AbortController();
        const reason = new QueryStopped('cancelled');
        const onStarted = async (): Promise<void> => void setTimeout(() => controller.abort(reason), 500);
        await expect(ask(endless, [], { signal: controller.signal, onStarted })).rejects.toBe(reason);
        expect((await ask('SELECT 1 AS one')).rows).toEqual([[1]]);
      },
    );

    it('the engine reports that it can accept a statement', async () => {
      await expect(subject.engine.check(AbortSignal.timeout(30_000))).resolves.toBeUndefined();
    });
  });
}
