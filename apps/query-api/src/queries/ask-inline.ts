import type { QueryRequest, ResultPage } from '@millrace/contracts';
import type { Principal } from '@millrace/runtime';
import type { RequestLimits } from '../guards.ts';
import { isFinal, type QueryRecord } from './query-record.ts';
import type { QueryService } from './query-service.ts';

/** A query that was submitted and waited for. */
export interface InlineAnswer {
  /** The query as it was when the wait ended. */
  readonly record: QueryRecord;
  /** Its first page. Undefined when it has not succeeded, or the page cannot be read. */
  readonly page: ResultPage | undefined;
}

/**
 * Submits a query and waits for its first page.
 *
 * @param options `waitMs`: longest wait. `rows`: rows of the page. `onTimeout`: whether a query that has not ended by then continues
 * @throws QueryError as `POST /v1/queries` does
 */
export async function askInline(
  queries: Pick<QueryService, 'submit' | 'settle' | 'firstPage'>,
  body: QueryRequest,
  caller: Principal,
  limits: RequestLimits,
  { waitMs, rows, onTimeout }: { readonly waitMs: number; readonly rows: number; readonly onTimeout: 'continue' | 'cancel' },
): Promise<InlineAnswer> {
  const { record: submitted } = await queries.submit(body, undefined, caller, limits);
  const record = isFinal(submitted.state) ? submitted : await queries.settle(submitted, waitMs, caller, limits, onTimeout);
  return { record, page: record.state === 'succeeded' ? await queries.firstPage(record, rows, limits) : undefined };
}
