interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Tells from the last minute when the outbox will be full. */
export class FullForecast {
  readonly #windowMs: number;
  #samples: Sample[] = [];

  /** @param windowMs How far back the rate is taken from, in milliseconds. Default 60,000. */
  constructor(windowMs = 60_000) {
    this.#windowMs = windowMs;
  }

  /**
   * Takes a sample.
   *
   * @returns seconds until the outbox is full at the rate of the window; 0 when it is, infinity while it does not grow
   */
  secondsToFull(atMs: number, bytes: number, bytesMax: number): number {
    this.#samples = [...this.#samples.filter((sample) => sample.atMs >= atMs - this.#windowMs), { atMs, bytes }];
    if (bytes >= bytesMax) return 0;
    const [first] = this.#samples;
    const bytesPerMs = (bytes - first!.bytes) / (atMs - first!.atMs);
    return bytesPerMs > 0 ? (bytesMax - bytes) / bytesPerMs / 1000 : Number.POSITIVE_INFINITY;
  }
}
