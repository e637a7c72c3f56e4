import { setTimeout as pause } from 'node:timers/promises';
import type { InlineQueryView, ResultPage } from '@millrace/contracts';

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

/** Runs a statement to its end and returns its first page. A request that an overloaded service refuses is sent again. */
export async function ask(url: string, statement: Statement): Promise<readonly (readonly unknown[])[]> {
  let { status, view } = await submit(url, statement, 60);
  while (status >= 503) {
    await pause(1000);
    ({ status, view } = await submit(url, statement, 60));
  }
  if (view.results !== undefined) return view.results.rows;
  // It waited in the queue for longer than one request may wait.
  const path = `${url}/v1/queries/${view.id}`;
  while (['queued', 'running'].includes(view.state)) view = await read<InlineQueryView>(`${path}?wait=60`);
  if (view.state !== 'succeeded') throw new Error(`a query was answered ${status}: ${JSON.stringify(view).slice(0, 500)}`);
  return (await read<ResultPage>(`${path}/results`)).rows;
}

async function read<T>(url: string): Promise<T> {
  for (;;) {
    const response = await fetch(url);
    const body = await response.text();
    if (response.status < 503) return JSON.parse(body) as T;
    await pause(1000);
  }
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
