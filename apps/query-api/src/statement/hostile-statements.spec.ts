import { afterAll, beforeAll, expect, it } from 'vitest';
import { QueryError } from '../errors.ts';
import { hostileStatements } from './hostile-statements.ts';
import { StatementGate } from './statement-gate.ts';

let gate: StatementGate;

beforeAll(async () => {
  gate = await StatementGate.create({ database: 'bookstore', tables: ['purchases'] });
});
afterAll(() => gate.close());

it.each(hostileStatements.map(({ kind, sql, outcome }) => ({ kind, outcome, sql, title: sql.slice(0, 120) })))(
  'the statement $title ($kind) is $outcome',
  async ({ sql, outcome }) => {
    const judged = await gate.check(sql).then(
      () => 'contained',
      (error: unknown) => (error instanceof QueryError ? `refused: ${error.code}` : error),
    );
    expect(judged).toBe(outcome.startsWith('contained') ? 'contained' : outcome);
  },
);

it.each(['duckdb', 'athena'] as const)('there are at least 80 statements for %s', (engine) => {
  expect(hostileStatements.filter(({ engines }) => engines.includes(engine)).length).toBeGreaterThanOrEqual(80);
});
