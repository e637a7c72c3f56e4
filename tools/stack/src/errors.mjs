/** An error that a person has to act on. Its message is shown without a stack trace. */
export class StackError extends Error {
  /** @override */
  name = 'StackError';
}

/** The command was interrupted by a signal. */
export class InterruptedError extends Error {
  /** @override */
  name = 'InterruptedError';

  constructor() {
    super('interrupted');
  }
}
