import type { RetryBudgetSpec } from '../settings/pipeline-spec.ts';

/** How many retries a dependency still bears, earned by calls and by time. One is shared by all pipelines of a dependency. */
export interface RetryBudget {
  /** A first attempt was made. */
  earn(): void;
  /** Takes one retry, if there is one. */
  spend(): boolean;
  /** Retries left now. */
  available(): number;
  /** Its settings. */
  readonly settings: Required<RetryBudgetSpec>;
  /** Changes its settings; what is left is kept within the new bounds. */
  update(patch: RetryBudgetSpec): void;
}
