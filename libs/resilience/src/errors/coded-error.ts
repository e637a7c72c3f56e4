/**
 * Base of every error family. Callers match on the class and the code, never on the text of the message, which people read.
 * `classifyError` reads `retryable`.
 */
export abstract class CodedError extends Error {
  /** Stable identifier of the reason. It has few values, so it can be a metric label. */
  abstract readonly code: string;
  /** Whether the same call may succeed later. */
  abstract readonly retryable: boolean;

  /** Name of the class. */
  override get name(): string {
    return this.constructor.name;
  }
}
