import type { RejectedError } from '../errors/errors.ts';
import type { FallbackKind } from '../settings/pipeline-spec.ts';

/** How a call ended, as a value. */
export type Outcome<T, F = never> =
  | /** The work's own answer. */ { readonly result: 'succeeded'; readonly value: T; readonly attempts: number }
  | /** A fresh answer of an earlier call. */ { readonly result: 'cached'; readonly value: T; readonly ageMs: number }
  | /** An answer given instead; `error` is why. `ageMs` belongs to `cache`, whose value is a stale answer of the work. */ {
      readonly result: 'fell-back';
      readonly fallback: FallbackKind;
      readonly value: T | F;
      readonly ageMs?: number;
      readonly error: unknown;
      readonly attempts: number;
    }
  | /** The work failed. */ { readonly result: 'failed'; readonly error: unknown; readonly attempts: number }
  | /** The pipeline refused; see the error's `code` and `retryAfterMs`. */ { readonly result: 'rejected'; readonly error: RejectedError; readonly attempts: number }
  | /** The caller gave up; `error` is its signal's reason. */ { readonly result: 'aborted'; readonly error: unknown; readonly attempts: number };
