/** An error that the operator must act on. The command prints its message, which states the fact and the remedy. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
