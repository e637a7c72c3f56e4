import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaEngine } from '../engines/athena/athena-engine.ts';
import { conformanceRows, skipNote } from '../engines/query-engine.conformance.ts';
import type { QueryEngine } from '../engines/query-engine.ts';
import { TrinoEngine } from '../engines/trino/trino-engine.ts';
import { QueryError, QueryStopped, type QueryErrorCode } from '../errors.ts';
import { testDuckDb } from '../testing-duckdb.ts';
import { openTestLake, testParts, type TestLake } from '../testing-lake.ts';
import { hostileStatements, type HostileOutcome } from './hostile-statements.ts';
import { StatementGate } from './statement-gate.ts';

/** Time that a hostile statement may run. */
const runMsMax = 3000;
/** Rows that are read of one statement. The limit of results is not tested here. */
const rowsMax = 100_000;

/** The outcome that an error means. The emulator of Athena reports only that a statement failed. */
const outcomes: Readonly<Record<string, Partial<Record<QueryErrorCode, HostileOutcome>>>> = {
  duckdb: {
    'statement-invalid': 'contained: the engine refuses it',
    'engine-failed': 'contained: a limit ends it',
    'result-too-large': 'contained: a limit ends it',
  },
  trino: { 'statement-invalid': 'contained: the engine refuses it' },
  athena: { 'statement-invalid': 'contained: the engine refuses it', 'engine-failed': 'contained: the engine refuses it' },
};

let lake: TestLake;
let gate: StatementGate;

beforeAll(async () => {
  lake = await openTestLake();
  await lake.land(conformanceRows);
  gate = await StatementGate.create({ database: lake.database, tables: ['purchases'] });
});
afterAll(async () => {
  gate?.close();
  await lake?.close();
});

function athena(): QueryEngine {
  return new AthenaEngine(
    lake.aws.athena,
    {
      workgroup: 'primary',
      database: lake.database,
      outputLocation: `s3://${lake.bucket}/_results/athena/`,
      pollMsMin: 20,
      pollMsMax: 200,
    },
    async ({ signal }, run) => await run(signal ?? AbortSignal.timeout(10_000)),
    async (ms, signal) => await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
  );
}

/** Runs a statement as a query does, through the gate and on the engine. */
async function outcomeOf(sql: string, engine: QueryEngine, msMax: number): Promise<HostileOutcome> {
  const stop = new AbortController();
  try {
    const statement = await gate.check(sql).catch((error: unknown) => {
      throw error instanceof QueryError ? new RefusedByGate(error.code) : error;
    });
    const timer = setTimeout(() => stop.abort(new QueryStopped('deadline')), msMax);
    try {
      const result = await engine.run({
        queryId: crypto.randomUUID(),
        statement,
        parameters: [],
        executionId: undefined,
        onStarted: async () => {},
        signal: stop.signal,
      });
      let rows = 0;
      for await (const batch of result.rows) {
        rows += batch.length;
        if (rows > rowsMax) return 'contained: a limit ends it';
      }
      return 'contained: harmless rows';
    } finally {
      clearTimeout(timer);
    }
  } catch (error) {
    if (error instanceof RefusedByGate) return error.outcome;
    if (error instanceof QueryStopped) return 'contained: a limit ends it';
    const outcome = error instanceof QueryError ? outcomes[engine.name]?.[error.code] : undefined;
    if (outcome === undefined) throw error;
    return outcome;
  }
}

class RefusedByGate extends Error {
  readonly outcome: HostileOutcome;

  constructor(code: string) {
    super(code);
    this.outcome = `refused: ${code}` as HostileOutcome;
  }
}

const { trinoMissing, trinoUrl = '' } = testParts;
// The gate's own refusals are tested without an engine.
describe.skipIf(trinoMissing !== undefined)(`hostile statements that pass the gate, on Trino${skipNote(trinoMissing)}`, () => {
  const statements = hostileStatements.filter(({ engines, outcome }) => engines.includes('athena') && outcome.startsWith('contained'));
  it.each(statements.map(({ kind, sql }) => ({ kind, sql, title: sql.slice(0, 120) })))(
    'the statement $title ($kind) is contained',
    async ({ sql }) => {
      const trino = new TrinoEngine(
        { url: trinoUrl, catalog: 'hive', schema: lake.database },
        async ({ signal }, run) => await run(signal ?? AbortSignal.timeout(30_000)),
      );
      expect(await outcomeOf(sql, trino, 30_000)).toMatch(/^contained: (?:harmless rows|the engine refuses it)$/);
    },
  );
});

describe.each([
  ['duckdb', () => testDuckDb(lake)],
  ['athena', athena],
] as const)('hostile statements on %s', (name, open) => {
  let engine: QueryEngine;
  beforeAll(async () => {
    engine = open();
    // The first one waits for a process to start.
    await engine.check(AbortSignal.timeout(30_000));
  });
  afterAll(async () => {
    await engine?.close();
  });

  const statements = hostileStatements.filter(({ engines }) => engines.includes(name));
  it.each(statements.map((statement) => ({ ...statement, title: statement.sql.slice(0, 120) })))(
    'the statement $title ($kind) is $outcome',
    async ({ sql, outcome }) => {
      const bomb = outcome === 'contained: a limit ends it';
      expect(await outcomeOf(sql, engine, bomb ? runMsMax : 30_000)).toBe(outcome);
    },
  );

  it('the engine still answers after the hostile statements', async () => {
    expect(await outcomeOf('SELECT count(*) FROM purchases', engine, 30_000)).toBe('contained: harmless rows');
  });
});
