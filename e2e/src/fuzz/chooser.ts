/** Choices from a source of random numbers. */
export class Chooser {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A whole number from 0 up to and without `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  bytes(lengthMax: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(lengthMax + 1) }, () => this.below(256)));
  }
}
