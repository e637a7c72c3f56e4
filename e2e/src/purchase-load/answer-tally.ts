/** One answer to a purchase, or its absence. */
export interface SeenAnswer {
  /** HTTP status; undefined when the connection ended without an answer. */
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
  /** `kafka` or `disk` in a 202. */
  readonly durability: string | undefined;
  readonly tookMs: number;
  /** Whether the service was killed and not yet ready again. Only then may an answer be missing. */
  readonly isServiceDown: boolean;
}

const namedMax = 10;

/** Counts the answers of a period, and finds those that the API must not give. */
export class AnswerTally {
  readonly #counts = new Map<string, number>();
  readonly #tookMs: number[] = [];
  readonly #breaches: string[] = [];
  #breachCount = 0;

  /** The sum of several periods. */
  static of(parts: readonly AnswerTally[]): AnswerTally {
    const sum = new AnswerTally();
    for (const part of parts) {
      for (const [kind, count] of part.#counts) sum.#counts.set(kind, sum.#count(kind) + count);
      for (const tookMs of part.#tookMs) sum.#tookMs.push(tookMs);
      sum.#breachCount += part.#breachCount;
      sum.#breaches.push(...part.#breaches);
    }
    return sum;
  }

  add(answer: SeenAnswer): void {
    const { status, durability, tookMs } = answer;
    const kind = status === undefined ? 'none' : status === 202 ? `202 ${durability}` : String(status);
    this.#counts.set(kind, this.#count(kind) + 1);
    if (status !== undefined) this.#tookMs.push(tookMs);
    const breach = breachOf(answer);
    if (breach === undefined) return;
    this.#breachCount += 1;
    if (this.#breaches.length < namedMax && !this.#breaches.includes(breach)) this.#breaches.push(breach);
  }

  /** Purchases acknowledged from Kafka. */
  get kafka(): number {
    return this.#count('202 kafka');
  }

  /** Purchases acknowledged from the outbox on disk. */
  get disk(): number {
    return this.#count('202 disk');
  }

  /** Answers 429 and 503. */
  get refused(): number {
    return this.#count('429') + this.#count('503');
  }

  /** Requests without an answer. */
  get unanswered(): number {
    return this.#count('none');
  }

  /** Answers that the API must not give. */
  get breaches(): { readonly count: number; readonly named: readonly string[] } {
    return { count: this.#breachCount, named: this.#breaches };
  }

  /** Time within which a share of the answers came, in milliseconds; 0 without an answer. */
  quantileMs(share: number): number {
    return this.#tookMs.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(this.#tookMs.length * share) - 1)] ?? 0;
  }

  #count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }
}

function breachOf({ status, retryAfter, durability, isServiceDown }: SeenAnswer): string | undefined {
  if (status === undefined) return isServiceDown ? undefined : 'no answer while the service ran';
  if (status === 202) return durability === 'kafka' || durability === 'disk' ? undefined : `202 with durability "${durability}"`;
  if (status !== 429 && status !== 503) return `status ${status}`;
  return Number(retryAfter) > 0 ? undefined : `${status} without Retry-After`;
}
