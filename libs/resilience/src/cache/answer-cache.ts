/** A kept answer. */
export interface KeptAnswer {
  readonly value: unknown;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

/** Last good answers by key, bounded; the one unused for longest goes first. */
export class AnswerCache {
  /** In the order of use. */
  private readonly answers = new Map<string, KeptAnswer>();

  constructor(private entriesMax: number) {}

  /** The answer of a key, if it is younger than `ageMsMax`. */
  get(key: string, ageMsMax: number, nowMs: number): KeptAnswer | undefined {
    const answer = this.answers.get(key);
    if (answer === undefined || nowMs - answer.atMs >= ageMsMax) return undefined;
    this.answers.delete(key);
    this.answers.set(key, answer);
    return answer;
  }

  set(key: string, value: unknown, nowMs: number): void {
    this.answers.delete(key);
    this.answers.set(key, { value, atMs: nowMs });
    this.shrink();
  }

  resize(entriesMax: number): void {
    this.entriesMax = entriesMax;
    this.shrink();
  }

  get size(): number {
    return this.answers.size;
  }

  private shrink(): void {
    for (const key of this.answers.keys()) {
      if (this.answers.size <= this.entriesMax) return;
      this.answers.delete(key);
    }
  }
}
