import { EventNumbers } from '../../proof/event-number.ts';

/** The events of a load, and which of them were acknowledged. */
export class SentEvents {
  readonly numbers: EventNumbers;
  #sent = 0;
  #acknowledged = 0;
  #states = new Uint8Array(1 << 16);

  /** @param run distinguishes the events of this load from others in the same table; 32 bits */
  constructor(run: number) {
    this.numbers = new EventNumbers(run);
  }

  /** Events that were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Events with a receipt. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  isAcknowledged(number: number): boolean {
    return this.#states[number] === 1;
  }

  /** Takes the numbers of new events. @returns the first one */
  take(count: number): number {
    const first = this.#sent;
    this.#sent += count;
    if (this.#sent > this.#states.length) {
      const larger = new Uint8Array(Math.max(this.#sent, this.#states.length * 2));
      larger.set(this.#states);
      this.#states = larger;
    }
    return first;
  }

  acknowledge(number: number): void {
    if (this.#states[number] === 1) return;
    this.#states[number] = 1;
    this.#acknowledged += 1;
  }
}
