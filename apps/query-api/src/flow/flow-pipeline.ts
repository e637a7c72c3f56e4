import type { FlowPipeline } from '@millrace/contracts';
import type { PipelineSnapshot } from '@millrace/resilience';

/** The answer of `/admin/pipelines` of a process, as far as the flow reads it. */
export interface ListedPipelines {
  readonly pipelines: readonly { readonly snapshot: PipelineSnapshot }[];
}

/** The part of a pipeline that the flow shows. */
export function flowPipeline({ name, dependency, breaker, bulkhead, inFlight, retryBudget, totals }: PipelineSnapshot): FlowPipeline {
  const { results, rejections } = totals;
  return {
    name,
    dependency,
    ...(breaker === undefined
      ? {}
      : {
          circuit: {
            mode: breaker.mode,
            state: breaker.state,
            since: new Date(breaker.sinceMs).toISOString(),
            calls: breaker.calls,
            failures: breaker.failures,
            failureRatio: breaker.failureRatio,
          },
        }),
    inFlight,
    ...(bulkhead === undefined ? {} : { concurrencyMax: bulkhead.concurrencyMax, queued: bulkhead.queued }),
    ...(retryBudget === undefined ? {} : { retryBudget: retryBudget.available }),
    calls: totals.calls,
    failed: results.failed,
    retries: totals.retries,
    rejected: results.rejected,
    shed: rejections.shed,
  };
}
