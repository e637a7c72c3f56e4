/**
 * Event ids of a proof contain a number. One array can count millions of acknowledged events, and an id that was never sent is
 * recognised.
 */
export class EventNumbers {
  readonly #prefix: string;

  /** @param run distinguishes this run's events from others in the same topic; 32 bits */
  constructor(run: number) {
    this.#prefix = `${(run >>> 0).toString(16).padStart(8, '0')}-0000-7000-8000-`;
  }

  /** The id of an event. */
  id(number: number): string {
    return this.#prefix + number.toString(16).padStart(12, '0');
  }

  /** The number that an id carries; undefined when the id is not of this run. */
  number(id: string): number | undefined {
    return id.startsWith(this.#prefix) ? Number.parseInt(id.slice(this.#prefix.length), 16) : undefined;
  }
}
