import type { RejectedError } from '../errors/errors.ts';
import type { FallbackKind } from '../settings/pipeline-spec.ts';

/** Result of a call as a value. */
export type Outcome<T, F = never> =
  | /** The answer of the work. */ { readonly result: 'succeeded'; readonly value: T; readonly attempts: number }
  | /** A fresh answer of an earlier call. */ { readonly result: 'cached'; readonly value: T; readonly ageMs: number }
  | /** A fallback answered. `error` is the replaced error. `ageMs` is the age of a stale answer of the `cache` fallback. */ {
      readonly result: 'fell-back';
      readonly fallback: FallbackKind;
      readonly value: T | F;
      readonly ageMs?: number;
      readonly error: unknown;
      readonly attempts: number;
    }
  | /** The work failed or took too long. */ { readonly result: 'failed'; readonly error: unknown; readonly attempts: number }
  | /** The pipeline rejected the call; see the error's `code` and `retryAfterMs`. */ {
      readonly result: 'rejected';
      readonly error: RejectedError;
      readonly attempts: number;
    }
  | /** The caller aborted; `error` is the reason of its signal. */ {
      readonly result: 'aborted';
      readonly error: unknown;
      readonly attempts: number;
    };
