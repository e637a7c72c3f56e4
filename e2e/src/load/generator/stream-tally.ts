import { createHistogram } from 'node:perf_hooks';
import type { Outcome } from './request-sender.ts';

/** Outcomes of the requests that were due in one interval. */
export interface LoadPoint {
  /** Start of the interval, in seconds from the start of the load. */
  readonly second: number;
  readonly due: number;
  readonly accepted: number;
  readonly shed: number;
  readonly failed: number;
  /** Requests that were not sent, because too many others waited for their answers. */
  readonly dropped: number;
  /** Time of 99 of 100 accepted requests, from the moment at which they were due; undefined without one. */
  readonly p99Ms: number | undefined;
}

/** Counts of a stream over a phase. */
export interface StreamTotals {
  /** Requests that the phase plans. */
  readonly planned: number;
  readonly sent: number;
  readonly accepted: number;
  readonly shed: number;
  readonly failed: number;
  readonly dropped: number;
  /** Times of accepted requests; undefined without one. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
}

interface Interval {
  due: number;
  accepted: number;
  shed: number;
  failed: number;
  dropped: number;
  readonly tookMs: number[];
}

/**
 * Counts the requests of one stream in one phase. Each request counts in the interval in which it was due. Its time begins
 * there, so a stall of the service or of the generator is not omitted.
 */
export class StreamTally {
  readonly #intervalSeconds: number;
  readonly #planned: number;
  readonly #intervals: Interval[] = [];
  readonly #all = createHistogram({ figures: 3, highest: 120_000_000 });
  #sent = 0;

  constructor(planned: number, intervalSeconds = 1) {
    this.#planned = planned;
    this.#intervalSeconds = intervalSeconds;
  }

  /** Counts a request that is sent. @param dueMs from the start of the phase */
  send(dueMs: number): void {
    this.#sent += 1;
    this.#at(dueMs).due += 1;
  }

  /** Counts a request that is due and is not sent. */
  drop(dueMs: number): void {
    const interval = this.#at(dueMs);
    interval.due += 1;
    interval.dropped += 1;
  }

  /** Counts the end of a request. @param tookMs since it was due */
  end(dueMs: number, outcome: Outcome, tookMs: number): void {
    const interval = this.#at(dueMs);
    interval[outcome] += 1;
    if (outcome !== 'accepted') return;
    interval.tookMs.push(tookMs);
    this.#all.record(Math.max(1, Math.round(tookMs * 1000)));
  }

  /** @param offsetSeconds start of the phase */
  points(offsetSeconds: number): LoadPoint[] {
    return this.#intervals.map(({ due, accepted, shed, failed, dropped, tookMs }, n) => ({
      second: offsetSeconds + n * this.#intervalSeconds,
      due,
      accepted,
      shed,
      failed,
      dropped,
      p99Ms: tookMs.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(tookMs.length * 0.99) - 1)],
    }));
  }

  get totals(): StreamTotals {
    const sum = (key: 'accepted' | 'shed' | 'failed' | 'dropped'): number => this.#intervals.reduce((all, one) => all + one[key], 0);
    const ms = (share: number): number | undefined => (this.#all.count === 0 ? undefined : this.#all.percentile(share) / 1000);
    return {
      planned: this.#planned,
      sent: this.#sent,
      accepted: sum('accepted'),
      shed: sum('shed'),
      failed: sum('failed'),
      dropped: sum('dropped'),
      p50Ms: ms(50),
      p99Ms: ms(99),
      maxMs: this.#all.count === 0 ? undefined : this.#all.max / 1000,
    };
  }

  #at(dueMs: number): Interval {
    const index = Math.floor(dueMs / 1000 / this.#intervalSeconds);
    for (let n = this.#intervals.length; n <= index; n += 1)
      this.#intervals.push({ due: 0, accepted: 0, shed: 0, failed: 0, dropped: 0, tookMs: [] });
    return this.#intervals[index]!;
  }
}
