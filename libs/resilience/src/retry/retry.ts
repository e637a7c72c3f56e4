import type { AttemptRunner } from '../attempt/attempt-runner.ts';
import type { Call } from '../call/call.ts';
import { RejectedError, RetryBudgetSpentError } from '../errors/errors.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';
import type { Work } from '../pipeline/pipeline.ts';
import type { RetryBudget } from './retry-budget.ts';
import { retryWaitMs } from './retry-strategy.ts';

/** Tries again what is worth it: idempotent work, failures that may pass, within the attempts, the deadline and the dependency's budget. Refusals of this pipeline are final. */
export class Retry {
  constructor(
    private readonly site: PipelineSite,
    private readonly runner: AttemptRunner,
    private readonly budget: RetryBudget,
  ) {}

  async run(work: Work<unknown>, call: Call): Promise<unknown> {
    this.budget.earn();
    let failure: unknown;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.runner.run(work, call, attempt);
      } catch (error) {
        // A refusal hides why there was another attempt at all.
        if (error instanceof RejectedError && error.pipeline === this.site.name) error.cause ??= failure;
        failure = error;
        await this.beforeNext(call, attempt, error);
      }
    }
  }

  /** @throws what the call ends with, when there is no next attempt */
  private async beforeNext(call: Call, attempt: number, error: unknown): Promise<void> {
    const { site } = this;
    const settings = site.settings.retry!;
    if (site.state === 'closed' || !call.idempotent || call.isAbortedBy(error) || error instanceof RejectedError) throw error;
    const waitMs = retryWaitMs({ attempt, errorClass: site.classify(error), error, leftMs: call.leftMs() }, settings, site.random);
    if (waitMs === undefined) throw error;
    if (!this.budget.spend()) {
      const refusal = new RetryBudgetSpentError(site.name, { cause: error });
      call.countRejection(refusal);
      throw refusal;
    }
    site.events.emit({ type: 'RetryScheduled', attempt: attempt + 1, waitMs, error });
    call.signal?.throwIfAborted();
    await site.waits.begin({ ms: waitMs, signal: call.signal }).promise;
    site.counters.retries += 1;
  }
}
