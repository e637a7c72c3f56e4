import type { RetryBudgetSpec } from '../settings/pipeline-spec.ts';

/** Limits the retries of a dependency. All pipelines of a dependency share one budget. */
export interface RetryBudget {
  /** Records the first attempt of a call. */
  earn(): void;
  /** Takes one retry. Returns false if none is left. */
  spend(): boolean;
  /** Number of retries that are left now. */
  available(): number;
  /** Settings in force. */
  readonly settings: Required<RetryBudgetSpec>;
  /** Changes the settings. Calls and retries in the window stay counted. */
  update(patch: RetryBudgetSpec): void;
}
