import { setTimeout as pause } from 'node:timers/promises';
import type { InlineQueryView } from '@millrace/contracts';

/** One statement on DuckDB. */
export interface Statement {
  readonly sql: string;
  readonly parameters?: readonly (string | number)[];
  /** Whether a kept result may answer it. Default false. */
  readonly cache?: boolean;
}

/** An answer to a submission. */
export interface SubmissionAnswer {
  readonly status: number;
  readonly xCache: string | null;
  readonly view: InlineQueryView;
}

/** Submits a statement and waits for its end for at most `waitSeconds`. */
export async function submit(
  url: string,
  { sql, parameters = [], cache = false }: Statement,
  waitSeconds: number,
): Promise<SubmissionAnswer> {
  const response = await fetch(`${url}/v1/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(waitSeconds === 0 ? {} : { prefer: `wait=${waitSeconds}` }) },
    body: JSON.stringify({ sql, parameters, engine: 'duckdb', timeoutMs: 1_200_000, cache }),
  });
  return { status: response.status, xCache: response.headers.get('x-cache'), view: (await response.json()) as InlineQueryView };
}

/** Runs a statement to its end and returns its first page. A statement that the service sheds is sent again a second later, as it asks. */
export async function ask(url: string, statement: Statement): Promise<readonly (readonly unknown[])[]> {
  const { status, view } = await submit(url, statement, 60);
  if (status === 503) {
    await pause(1000);
    return await ask(url, statement);
  }
  if (view.state !== 'succeeded' || view.results === undefined)
    throw new Error(`a query was answered ${status}: ${JSON.stringify(view).slice(0, 500)}`);
  return view.results.rows;
}

/** The time of a call, and its value. */
export async function timed<T>(run: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const start = performance.now();
  const value = await run();
  return { ms: performance.now() - start, value };
}

/** The value below which this part of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}
