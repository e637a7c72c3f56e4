interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Predicts from the growth of a time window when something of a limited size will be full. */
export class FullForecast {
  readonly #windowMs: number;
  readonly #samples: Sample[] = [];

  /** @param windowMs How far back the rate is taken from, in milliseconds. Default 60,000. */
  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /** Takes the size at a time, in epoch milliseconds. Times do not go back. */
  sample(atMs: number, bytes: number): void {
    this.#samples.push({ atMs, bytes });
    while (this.#samples[0]!.atMs < atMs - this.#windowMs) this.#samples.shift();
  }

  /** Milliseconds until the limit is reached at the rate of the window. 0 when it is reached, infinity while the size does not grow. */
  msToFull(bytesMax: number): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return Number.POSITIVE_INFINITY;
    if (last.bytes >= bytesMax) return 0;
    const bytesPerMs = (last.bytes - first.bytes) / (last.atMs - first.atMs);
    return bytesPerMs > 0 ? (bytesMax - last.bytes) / bytesPerMs : Number.POSITIVE_INFINITY;
  }
}
