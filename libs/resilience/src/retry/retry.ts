import type { AttemptRunner } from '../attempt/attempt-runner.ts';
import type { Call } from '../call/call.ts';
import type { Lifecycle } from '../call/lifecycle.ts';
import type { Work } from '../call/work.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import { RejectedError, RetryBudgetSpentError } from '../errors/errors.ts';
import type { SettingsInForce } from '../settings/pipeline-settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { Waits } from '../time/wait.ts';
import type { RetryBudget } from './retry-budget.ts';
import { retryWaitMs } from './retry-strategy.ts';

/** Dependencies of the retry policy. */
export interface RetryDeps {
  /** Name of the pipeline. */
  readonly name: string;
  readonly runner: AttemptRunner;
  readonly budget: RetryBudget;
  readonly settings: SettingsInForce;
  readonly classify: (error: unknown) => ErrorClass;
  readonly random: () => number;
  readonly waits: Waits;
  readonly lifecycle: Pick<Lifecycle, 'state'>;
  readonly counters: Counters;
  readonly events: EventHub;
}

/**
 * Retries idempotent work after failures that may pass, within the attempts, the deadline and the budget of the dependency.
 * It never retries a rejection.
 */
export class Retry {
  readonly #deps: RetryDeps;

  constructor(deps: RetryDeps) {
    this.#deps = deps;
  }

  async run(work: Work<unknown>, call: Call): Promise<unknown> {
    const { budget, runner, name } = this.#deps;
    budget.earn();
    let failure: unknown;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await runner.run(work, call, attempt);
      } catch (error) {
        // A rejected retry would hide the failure that caused the retry.
        if (error instanceof RejectedError && error.pipeline === name) error.cause ??= failure;
        failure = error;
        await this.#waitForNextAttempt(call, attempt, error);
      }
    }
  }

  /** @throws the error with which the call ends, if there is no next attempt */
  async #waitForNextAttempt(call: Call, attempt: number, error: unknown): Promise<void> {
    const { name, budget, settings, classify, random, waits, lifecycle, counters, events } = this.#deps;
    const isFinal = lifecycle.state === 'closed' || !call.idempotent || call.isAbortedBy(error) || error instanceof RejectedError;
    if (isFinal) throw error;
    const failed = { attempt, errorClass: classify(error), error, leftMs: call.remainingMs() };
    const waitMs = retryWaitMs(failed, settings.current.retry!, random);
    if (waitMs === undefined) throw error;
    if (!budget.spend()) {
      const rejection = new RetryBudgetSpentError(name, { cause: error });
      call.countRejection(rejection);
      throw rejection;
    }
    events.emit({ type: 'RetryScheduled', attempt: attempt + 1, waitMs, error });
    call.signal?.throwIfAborted();
    await waits.start({ ms: waitMs, signal: call.signal }).promise;
    counters.retries += 1;
  }
}
