import { idOfPrincipal, samePrincipal, type PrincipalId } from '@millrace/runtime';
import type { Logger } from 'pino';
import type { CacheResult } from './cache/cached-answers.ts';
import type { QueryJobData, QueryOutcome, QueryRecord } from './query-record.ts';

/** Longest statement of a log line, in characters. */
export const loggedStatementCharactersMax = 2000;

/** Records who submits and cancels queries, and who gets links to results. */
export interface QueryApiAudit {
  /** @param cache the source of its answer */
  submitted(id: string, data: QueryJobData, cache: CacheResult): void;
  cancelRequested(record: QueryRecord, by: PrincipalId): void;
  /** @param expiresAt time until which anyone with the links reads the result, ISO 8601 */
  resultsLinked(record: QueryRecord, by: PrincipalId, expiresAt: string): void;
}

/** Writes one line for each query that is queued, for each request to cancel one and for each answer with links. */
export function queryApiAudit(logger: Logger): QueryApiAudit {
  return {
    submitted(id, data, cache) {
      const state = cache === 'hit' ? 'succeeded' : 'queued';
      logger.info({ audit: 'query-submitted', ...queryFields(id, data), state, cache }, 'A query was submitted.');
    },
    cancelRequested({ id, data, state }, by) {
      const own = data.principal !== undefined && samePrincipal(data.principal, by);
      const sentence = own ? 'Its submitter cancels a query.' : 'An administrator cancels a query.';
      logger.info({ audit: 'query-cancel-requested', ...queryFields(id, data), state, cancelledBy: idOfPrincipal(by) }, sentence);
    },
    resultsLinked({ id, data }, by, expiresAt) {
      const fields = { audit: 'query-results-linked', ...queryFields(id, data), linkedBy: idOfPrincipal(by), expiresAt };
      logger.info(fields, 'Links to the result of a query were given.');
    },
  };
}

/** Writes the one line of a query's end. A figure that is not known is null: an engine counts bytes only for statements that succeed. */
export function logQueryEnd(
  logger: Logger,
  id: string,
  data: QueryJobData,
  { state, startedAt, finishedAt, statistics, error, cancelMs }: QueryOutcome,
): void {
  const figures = {
    state,
    executionMs: finishedAt - startedAt,
    bytesScanned: statistics?.bytesScanned ?? null,
    rows: statistics?.rows ?? null,
  };
  const more = {
    ...(statistics === undefined ? {} : { queuedMs: statistics.queuedMs }),
    ...(error === undefined ? {} : { problem: error.type }),
    ...(cancelMs === undefined ? {} : { cancelMs }),
  };
  logger.info({ audit: 'query-ended', ...queryFields(id, data), ...figures, ...more }, `A query ${state}.`);
}

/** The caller, the statement and the engine of a query. Values of parameters may be personal data, so only their number is logged. */
function queryFields(queryId: string, { principal, engine, report, sql, parameters }: QueryJobData): Readonly<Record<string, unknown>> {
  const statement = sql.length > loggedStatementCharactersMax ? `${sql.slice(0, loggedStatementCharactersMax)}…` : sql;
  return {
    queryId,
    principal: principal ?? null,
    engine,
    ...(report === undefined ? {} : { report }),
    statement,
    statementCharacters: sql.length,
    parameters: parameters.length,
  };
}
