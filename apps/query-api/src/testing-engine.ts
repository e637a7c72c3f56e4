import type { EngineRequest, EngineResult, QueryEngine, ResultRow } from './engines/query-engine.ts';
import { readStatement } from './statement/statement-text.ts';

/** A request of a test to an engine: no parameters, and nothing to attach to. It goes past the gate. */
export function engineRequest(sql: string, more: Partial<EngineRequest> = {}): EngineRequest {
  return {
    queryId: crypto.randomUUID(),
    statement: readStatement(sql),
    parameters: [],
    executionId: undefined,
    onStarted: async () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

/** Runs a request and reads all its rows. */
export async function runToEnd(
  engine: QueryEngine,
  request: EngineRequest,
): Promise<{ readonly result: EngineResult; readonly rows: ResultRow[] }> {
  const result = await engine.run(request);
  const rows: ResultRow[] = [];
  for await (const batch of result.rows) rows.push(...batch);
  return { result, rows };
}
