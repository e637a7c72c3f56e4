import { type Clock, monotonicOf, systemClock } from '../time/clock.ts';
import type { RetryBudget } from './retry-budget.ts';
import { RollingCounts } from '../time/rolling-counts.ts';
import type { RetryBudgetSpec } from '../settings/pipeline-spec.ts';

const call = 0;
const retry = 1;

/** 20 % of the calls and 10 a second, over 10 s. */
export const retryBudgetDefaults: Required<RetryBudgetSpec> = { ratio: 0.2, perSecondMin: 10, windowSeconds: 10 };

/** Within any window: retries ≤ `ratio · calls + perSecondMin · windowSeconds`. */
class RollingRetryBudget implements RetryBudget {
  private counts: RollingCounts;

  constructor(
    public settings: Required<RetryBudgetSpec>,
    private readonly monotonic: () => number,
  ) {
    this.counts = countsOf(settings);
  }

  earn(): void {
    this.counts.add(call, this.monotonic());
  }

  spend(): boolean {
    const nowMs = this.monotonic();
    if (this.left(nowMs) < 1) return false;
    this.counts.add(retry, nowMs);
    return true;
  }

  available(): number {
    return Math.max(0, Math.floor(this.left(this.monotonic())));
  }

  update(patch: RetryBudgetSpec): void {
    const settings = { ...this.settings, ...patch };
    if (settings.windowSeconds !== this.settings.windowSeconds) this.counts = this.countsIn(settings);
    this.settings = settings;
  }

  /** Counts of another window, in which all that the last one still holds happened now. */
  private countsIn(settings: Required<RetryBudgetSpec>): RollingCounts {
    const nowMs = this.monotonic();
    const counts = countsOf(settings);
    for (const kind of [call, retry]) counts.add(kind, nowMs, this.counts.total(kind, nowMs));
    return counts;
  }

  private left(nowMs: number): number {
    const { ratio, perSecondMin, windowSeconds } = this.settings;
    return ratio * this.counts.total(call, nowMs) + perSecondMin * windowSeconds - this.counts.total(retry, nowMs);
  }
}

function countsOf({ windowSeconds }: Required<RetryBudgetSpec>): RollingCounts {
  return new RollingCounts(windowSeconds * 1000, 10, 2);
}

/** A retry budget to share between all pipelines of one dependency. Default {@link retryBudgetDefaults}. */
export function createRetryBudget(spec: RetryBudgetSpec = {}, { clock = systemClock }: { readonly clock?: Clock } = {}): RetryBudget {
  return new RollingRetryBudget({ ...retryBudgetDefaults, ...spec }, monotonicOf(clock));
}
