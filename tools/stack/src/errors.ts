/** Something a person has to act on: its message is the one clear sentence that is shown. */
export class StackError extends Error {
  override readonly name = 'StackError';
}
