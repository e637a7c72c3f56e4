import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultCell } from '@millrace/contracts';
import { QueryError, QueryStopped } from '../errors.ts';
import type { EngineRequest, Parameter, QueryEngine, ResultColumn } from './query-engine.ts';
import { engineRequest, runToEnd } from '../testing-engine.ts';

/** Needs of the suite: an engine over a table `purchases` in database `database` with the rows of {@link conformanceRows}. */
export interface ConformanceSubject {
  readonly engine: QueryEngine;
  readonly database: string;
  close(): Promise<void>;
}

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

/** One suite for every engine: the behaviour that the rest of the app relies on. */
export function engineConformance(name: string, open: () => Promise<ConformanceSubject>): void {
  describe(`engine ${name}`, () => {
    let subject: ConformanceSubject;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(async () => await subject?.close());

    const ask = async (sql: string, parameters: readonly Parameter[] = [], extra: Partial<EngineRequest> = {}): Promise<Answer> => {
      const { result, rows } = await runToEnd(subject.engine, engineRequest(sql, { parameters, ...extra }));
      return { columns: result.columns, rows };
    };

    it('answers rows in order, with integers of 64 bits as strings and doubles as numbers', async () => {
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

    it('gives every declared type its own kind of cell', async () => {
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

    it('resolves the table with and without its database', async () => {
      const { rows } = await ask(`SELECT (SELECT count(*) FROM purchases) AS a, (SELECT count(*) FROM ${subject.database}.purchases) AS b`);
      expect(rows).toEqual([['3', '3']]);
    });

    it('binds parameters in order, whatever they hold', async () => {
      const { rows } = await ask(
        'SELECT ? AS a, genre, ? AS c, ? AS d, ? AS e FROM purchases WHERE genre = ? AND user_age >= ? AND dt > ? ORDER BY 1 LIMIT 1',
        ["it's ? -- \\'", true, 1.5, null, "Poet's", -5, '2019-11-30'],
      );
      expect(rows).toEqual([["it's ? -- \\'", "Poet's", true, 1.5, null]]);
    });

    it('a number below zero stays a number next to a minus', async () => {
      expect((await ask('SELECT CAST(1 -? AS INTEGER) AS a', [-1])).rows).toEqual([[2]]);
    });

    it('takes a whole number where an integer must be', async () => {
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

    it('carries more rows than one page holds', async () => {
      const { rows } = await ask(
        'WITH digits AS (SELECT n FROM (VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)) AS t(n)) SELECT a.n * 1000 + b.n * 100 + c.n * 10 + d.n AS n FROM digits a, digits b, digits c, digits d ORDER BY 1',
      );
      expect(rows).toHaveLength(10_000);
      expect(rows[0]).toEqual([0]);
      expect(rows.at(-1)).toEqual([9999]);
    });

    it('reports the execution before it has a result, and attaches to it when asked again', async () => {
      const queryId = crypto.randomUUID();
      const started: string[] = [];
      const onStarted = async (id: string): Promise<void> => void started.push(id);
      await ask('SELECT 1 AS one', [], { queryId, onStarted });
      expect(started).toHaveLength(1);
      const again = await ask('SELECT 1 AS one', [], { queryId, onStarted, executionId: started[0]! });
      expect(again.rows).toEqual([[1]]);
      expect(started[1]).toBe(started[0]);
    });

    it('a column that is not there is an error with a reason', async () => {
      const error = await ask('SELECT nothing_here FROM purchases').catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(QueryError);
      expect(['statement-invalid', 'engine-failed']).toContain((error as QueryError).code);
      expect((error as QueryError).message).toContain('nothing_here');
    });

    it('a cancelled run ends with the reason it was given', async () => {
      const controller = new AbortController();
      const reason = new QueryStopped('cancelled');
      const running = ask('SELECT count(*) AS n FROM range(100000000) a(x), range(1000) b(y) WHERE a.x % 7 = b.y % 5', [], {
        signal: controller.signal,
        onStarted: async () => controller.abort(reason),
      });
      await expect(running).rejects.toBe(reason);
    });

    it('says that it would take a statement', async () => {
      await expect(subject.engine.check(AbortSignal.timeout(30_000))).resolves.toBeUndefined();
    });
  });
}
