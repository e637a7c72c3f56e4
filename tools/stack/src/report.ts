import { setTimeout as pause } from 'node:timers/promises';
import type { QueryView, ResultPage } from '@millrace/contracts';
import { StackError } from './errors.mjs';

/**
 * Runs a report through the query API.
 *
 * @throws StackError when it does not succeed within a minute
 */
export async function runReport(queryUrl: string, report: string): Promise<{ view: QueryView; page: ResultPage }> {
  const submitted = await fetch(`${queryUrl}/v1/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ report }),
  });
  if (!submitted.ok) throw new StackError(`The query API answered ${submitted.status}: ${(await submitted.text()).slice(0, 500)}`);
  let view = (await submitted.json()) as QueryView;
  const deadline = performance.now() + 60_000;
  while (view.state !== 'succeeded') {
    if (view.state === 'failed' || view.state === 'cancelled')
      throw new StackError(`The report ${report} ${view.state}: ${view.error?.detail ?? view.error?.title ?? 'no reason given'}`);
    if (performance.now() > deadline) throw new StackError(`The report ${report} is still ${view.state} after a minute.`);
    await pause(100);
    view = await json<QueryView>(new URL(view.links.self, queryUrl));
  }
  return { view, page: await json<ResultPage>(new URL(view.links.results, queryUrl)) };
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names what the API promises
async function json<T>(url: URL): Promise<T> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (!response.ok) throw new StackError(`${url.pathname} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return (await response.json()) as T;
}
