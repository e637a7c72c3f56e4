import { describe, expect, it } from 'vitest';
import { type DelayHistogram, ProcessLoad } from './process-load.ts';

/** A histogram fed by hand, in milliseconds. */
class FedHistogram implements DelayHistogram {
  turnsMs: number[] = [];
  enabled = false;
  get mean(): number {
    return (this.turnsMs.reduce((sum, ms) => sum + ms, 0) / this.turnsMs.length) * 1e6;
  }
  get stddev(): number {
    const mean = this.mean / 1e6;
    return Math.sqrt(this.turnsMs.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / this.turnsMs.length) * 1e6;
  }
  enable(): void {
    this.enabled = true;
  }
  disable(): void {
    this.enabled = false;
  }
  reset(): void {
    this.turnsMs = [];
  }
}

function watched(): { load: ProcessLoad; histograms: FedHistogram[]; turn: (...turnsMs: number[]) => void } {
  const histograms: FedHistogram[] = [];
  const load = new ProcessLoad({
    histogram: () => {
      const histogram = new FedHistogram();
      histograms.push(histogram);
      return histogram;
    },
    heap: () => ({ used_heap_size: 30, heap_size_limit: 120 }),
  });
  return { load, histograms, turn: (...turnsMs) => histograms.forEach((histogram) => histogram.turnsMs.push(...turnsMs)) };
}

describe('ProcessLoad', () => {
  it('the delay is 0 before the first sample and while the event loop is not blocked', () => {
    const { load, turn } = watched();
    expect(load.eventLoopDelayMs()).toBe(0);
    expect(load.heapUsedRatio()).toBe(0.25);
    turn(10, 10, 10);
    load.sample();
    expect(load.eventLoopDelayMs()).toBeCloseTo(0);
  });

  it('a stall is weighted by the number of arrivals that meet it', () => {
    const { load, turn } = watched();
    turn(...Array.from({ length: 80 }, () => 10), 200);
    load.sample();
    // 80 · 10² + 200² over 80 · 10 + 200, less the resolution.
    expect(load.eventLoopDelayMs()).toBeCloseTo(38);
  });

  it('a single stall does not count as overload, but many stalls do', () => {
    const { load, turn } = watched();
    // A percentile of turns would be the length of the single stall, or ignore it.
    turn(...Array.from({ length: 40 }, () => 10), 110);
    load.sample();
    load.sample();
    expect(load.eventLoopDelayMs()).toBeLessThan(100 / 4);
    turn(...Array.from({ length: 4 }, () => [10, 110]).flat());
    load.sample();
    load.sample();
    expect(load.eventLoopDelayMs()).toBeGreaterThan(100 * 0.9);
  });

  it('a stall is visible for two samples', () => {
    const { load, turn } = watched();
    turn(500);
    load.sample();
    expect(load.eventLoopDelayMs()).toBeCloseTo(490);
    load.sample();
    expect(load.eventLoopDelayMs()).toBeCloseTo(490);
    turn(10);
    load.sample();
    expect(load.eventLoopDelayMs()).toBeCloseTo(0);
  });

  it('the delay keeps its last value while no turn is measured', () => {
    const { load, turn } = watched();
    turn(110);
    load.sample();
    load.sample();
    load.sample();
    expect(load.eventLoopDelayMs()).toBeCloseTo(100);
  });

  it('the histograms are enabled only between start and stop', () => {
    const { load, histograms } = watched();
    load.start();
    load.start();
    expect(histograms.map((histogram) => histogram.enabled)).toEqual([true, true]);
    load.stop();
    expect(histograms.map((histogram) => histogram.enabled)).toEqual([false, false]);
  });

  it('the heap ratio comes from V8 by default', () => {
    const share = new ProcessLoad().heapUsedRatio();
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  });
});
