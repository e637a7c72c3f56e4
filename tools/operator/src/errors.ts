/** Something an operator has to act on: its message is what is shown, and says what to do next. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
