import type { LoadSource } from '@millrace/resilience';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** The part of Node's delay histogram that is read; nanoseconds. */
export interface DelayHistogram {
  /** Mean length of a turn; NaN when none was measured. */
  readonly mean: number;
  /** Standard deviation of that length. */
  readonly stddev: number;
  /** Begins to measure. */
  enable(): unknown;
  /** Ends it. */
  disable(): unknown;
  /** Discards the samples. */
  reset(): void;
}

/** How {@link ProcessLoad} measures. */
export interface ProcessLoadOptions {
  /** Interval between two samples, in milliseconds, ≥ 1. A reading covers the last one to two of these. Default 250. */
  readonly sampleMs?: number;
  /** Resolution of the delay histogram in milliseconds, ≥ 1. An idle event loop shows this value. Default 10. */
  readonly resolutionMs?: number;
  /** Makes a histogram. Default: Node's. */
  readonly histogram?: (resolutionMs: number) => DelayHistogram;
  /** Reads the heap in bytes. Default: V8's statistics. */
  readonly heap?: () => { readonly used_heap_size: number; readonly heap_size_limit: number };
}

/** Measures the event loop and the heap of this process, as the input of load shedding. */
export class ProcessLoad implements LoadSource {
  readonly #sampleMs: number;
  readonly #resolutionMs: number;
  readonly #heap: () => { readonly used_heap_size: number; readonly heap_size_limit: number };
  // Node's histogram forgets the interval it is in when it is reset, and under load that is the one that matters. So there are two, reset
  // in turn: each interval is in at least one.
  readonly #histograms: [DelayHistogram, DelayHistogram];
  #delayMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProcessLoadOptions = {}) {
    const {
      sampleMs = 250,
      resolutionMs = 10,
      histogram = (resolution: number) => monitorEventLoopDelay({ resolution }),
      heap = getHeapStatistics,
    } = options;
    this.#sampleMs = sampleMs;
    this.#resolutionMs = resolutionMs;
    this.#heap = heap;
    this.#histograms = [histogram(resolutionMs), histogram(resolutionMs)];
  }

  /** Begins to watch; it does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    for (const histogram of this.#histograms) histogram.enable();
    this.#timer = setInterval(() => this.sample(), this.#sampleMs);
    this.#timer.unref();
  }

  /** Ends the watch; the last reading stays. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const histogram of this.#histograms) histogram.disable();
  }

  /** Takes the figures of the older histogram. Called by the timer of {@link start}. */
  sample(): void {
    const [older, newer] = this.#histograms;
    const delayMs = expectedDelayMs(older.mean / 1e6, older.stddev / 1e6) - this.#resolutionMs;
    if (!Number.isNaN(delayMs)) this.#delayMs = Math.max(0, delayMs);
    older.reset();
    this.#histograms[0] = newer;
    this.#histograms[1] = older;
  }

  /**
   * Expected wait for the event loop, in milliseconds, of an event that arrives at a random moment of the last samples. It is 0 before the
   * first sample.
   */
  eventLoopDelayMs(): number {
    return this.#delayMs;
  }

  /** Part of the heap limit that is in use, garbage not yet collected included: 0–1. */
  heapUsedRatio(): number {
    const { used_heap_size: used, heap_size_limit: limit } = this.#heap();
    return used / limit;
  }
}

/**
 * Length of the turn of the event loop that a random moment falls into: E[d²] / E[d]. It weighs turns by how long they last, as arrivals
 * do. The plain mean would hide one stall of 200 ms among eighty turns of 10 ms, though a fifth of all arrivals meets it; the maximum would
 * shed load for one garbage collection. A percentile counts turns, and a second has a hundred at most. So its 99th is the maximum, or it
 * misses the stall.
 */
function expectedDelayMs(meanMs: number, stddevMs: number): number {
  return (meanMs ** 2 + stddevMs ** 2) / meanMs;
}
