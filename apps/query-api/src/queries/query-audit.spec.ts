import { createLogger } from '@millrace/runtime';
import { expect, it } from 'vitest';
import { logQueryEnd, loggedStatementCharactersMax, queryApiAudit } from './query-audit.ts';
import type { QueryJobData } from './query-record.ts';

const principal = { kind: 'jwt', issuer: 'https://x', subject: 'alice' } as const;
const data: QueryJobData = { sql: 'SELECT ?', parameters: ['secret value'], engine: 'duckdb', timeoutMs: 1000, submittedAt: 0, principal };

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger({ name: 'query', stream: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('the end of a query is one log line with caller, statement, engine, duration and bytes read', () => {
  const statistics = { rows: 3, bytesScanned: 4096, queuedMs: 5, executionMs: 40 };
  const [line, ...more] = linesOf((logger) =>
    logQueryEnd(logger, 'q', data, { state: 'succeeded', startedAt: 10, finishedAt: 50, statistics }),
  );
  expect(more).toEqual([]);
  expect(line).toMatchObject({
    level: 'info',
    audit: 'query-ended',
    queryId: 'q',
    principal,
    engine: 'duckdb',
    statement: 'SELECT ?',
    parameters: 1,
    state: 'succeeded',
    executionMs: 40,
    bytesScanned: 4096,
    rows: 3,
  });
  expect(JSON.stringify(line)).not.toContain('secret value');
});

it.each(['failed', 'cancelled'] as const)('the line of a %s query has its time, and null for unknown figures', (state) => {
  const [line] = linesOf((logger) => logQueryEnd(logger, 'q', { ...data, report: 'sales' }, { state, startedAt: 10, finishedAt: 50 }));
  expect(line).toMatchObject({ report: 'sales', state, executionMs: 40, bytesScanned: null, rows: null });
});

it('a long statement is cut, and its length is logged', () => {
  const sql = `SELECT '${'x'.repeat(60_000)}'`;
  const [line] = linesOf((logger) => queryApiAudit(logger).submitted('q', { ...data, sql }, 'miss'));
  expect(line).toMatchObject({ audit: 'query-submitted', statementCharacters: sql.length });
  expect(String(line!['statement'])).toHaveLength(loggedStatementCharactersMax + 1);
});

it('a cancellation names its principal beside the submitter of the query', () => {
  const root = { kind: 'api-key', issuer: '', subject: 'root', scopes: new Set(['admin'] as const) } as const;
  const record = { id: 'q', data, state: 'running', progress: undefined, outcome: undefined } as const;
  const [byAdmin, byOwner] = linesOf((logger) => {
    queryApiAudit(logger).cancelRequested(record, root);
    queryApiAudit(logger).cancelRequested(record, principal);
  });
  expect(byAdmin).toMatchObject({
    principal,
    cancelledBy: { kind: 'api-key', issuer: '', subject: 'root' },
    msg: 'An administrator cancels a query.',
  });
  expect(byOwner).toMatchObject({ cancelledBy: principal, msg: 'Its submitter cancels a query.' });
});
