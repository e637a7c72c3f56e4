import { retryBudgetDefaults } from '../settings/defaults.ts';
import type { RetryBudgetSpec } from '../settings/pipeline-spec.ts';
import { type Clock, monotonicReader, systemClock } from '../time/clock.ts';
import { RollingCounts } from '../time/rolling-counts.ts';
import type { RetryBudget } from './retry-budget.ts';

const callKind = 0;
const retryKind = 1;

/** Within any window: retries ≤ `ratio · calls + perSecondMin · windowSeconds`. */
class RollingRetryBudget implements RetryBudget {
  settings: Required<RetryBudgetSpec>;
  readonly #monotonic: () => number;
  #counts: RollingCounts;

  constructor(settings: Required<RetryBudgetSpec>, monotonic: () => number) {
    this.settings = settings;
    this.#monotonic = monotonic;
    this.#counts = createCounts(settings);
  }

  earn(): void {
    this.#counts.add(callKind, this.#monotonic());
  }

  spend(): boolean {
    const nowMs = this.#monotonic();
    if (this.#countAvailable(nowMs) < 1) return false;
    this.#counts.add(retryKind, nowMs);
    return true;
  }

  available(): number {
    return Math.max(0, Math.floor(this.#countAvailable(this.#monotonic())));
  }

  update(patch: RetryBudgetSpec): void {
    const settings = { ...this.settings, ...patch };
    if (settings.windowSeconds !== this.settings.windowSeconds) this.#counts = this.#copyCountsTo(settings);
    this.settings = settings;
  }

  /** Counts of a window with another length. Everything in the old window counts as if it happened now. */
  #copyCountsTo(settings: Required<RetryBudgetSpec>): RollingCounts {
    const nowMs = this.#monotonic();
    const counts = createCounts(settings);
    for (const kind of [callKind, retryKind]) counts.add(kind, nowMs, this.#counts.total(kind, nowMs));
    return counts;
  }

  #countAvailable(nowMs: number): number {
    const { ratio, perSecondMin, windowSeconds } = this.settings;
    return ratio * this.#counts.total(callKind, nowMs) + perSecondMin * windowSeconds - this.#counts.total(retryKind, nowMs);
  }
}

function createCounts({ windowSeconds }: Required<RetryBudgetSpec>): RollingCounts {
  return new RollingCounts(windowSeconds * 1000, 10, 2);
}

/** Creates a retry budget that all pipelines of one dependency can share. Default {@link retryBudgetDefaults}. */
export function createRetryBudget(spec: RetryBudgetSpec = {}, { clock = systemClock }: { readonly clock?: Clock } = {}): RetryBudget {
  return new RollingRetryBudget({ ...retryBudgetDefaults, ...spec }, monotonicReader(clock));
}
