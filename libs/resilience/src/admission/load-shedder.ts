import type { ShedSpec } from '../settings/pipeline-spec.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { ShedLevel } from '../telemetry/pipeline-event.ts';
import { type LoadSource, type Priority, priorities } from './load-source.ts';

/** Lifetime of a load measurement in milliseconds. A measurement costs more than a call. */
const sampleMs = 50;

/** Load from 0 to 1: the worse of event loop and heap, each measured between its `…From` and its `…Full`. */
export function computeLoad(source: LoadSource, settings: Required<ShedSpec>): number {
  const { eventLoopDelayMsFrom, eventLoopDelayMsFull, heapUsedRatioFrom, heapUsedRatioFull } = settings;
  const delay = (source.eventLoopDelayMs() - eventLoopDelayMsFrom) / (eventLoopDelayMsFull - eventLoopDelayMsFrom);
  const heap = (source.heapUsedRatio() - heapUsedRatioFrom) / (heapUsedRatioFull - heapUsedRatioFrom);
  return Math.min(1, Math.max(0, delay, heap));
}

/** Maps a load to the priorities that are shed. */
export function computeShedLevel(load: number): ShedLevel {
  if (load <= 0) return 0;
  if (load < 0.5) return 1;
  return load < 0.9 ? 2 : 3;
}

/**
 * Sheds the least important calls while the process is overloaded. The level rises at once.
 * It falls only after the load has stayed lower for `holdMs`.
 */
export class LoadShedder {
  readonly #source: LoadSource;
  readonly #monotonic: () => number;
  readonly #events: EventHub;
  #settings: Required<ShedSpec>;
  #level: ShedLevel = 0;
  #load = 0;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #lowerSinceMs: number | undefined;

  constructor(settings: Required<ShedSpec>, source: LoadSource, monotonic: () => number, events: EventHub) {
    this.#settings = settings;
    this.#source = source;
    this.#monotonic = monotonic;
    this.#events = events;
  }

  /** Whether calls of this priority are shed now. */
  sheds(priority: Priority): boolean {
    this.#sample();
    return priorities.indexOf(priority) > priorities.length - 1 - this.#level;
  }

  get retryAfterMs(): number {
    return this.#settings.retryAfterMs;
  }

  update(settings: Required<ShedSpec>): void {
    this.#settings = settings;
  }

  snapshot(): { readonly level: ShedLevel; readonly load: number } {
    this.#sample();
    return { level: this.#level, load: this.#load };
  }

  #sample(): void {
    const nowMs = this.#monotonic();
    const unseenMs = nowMs - this.#sampledAtMs;
    if (unseenMs < sampleMs) return;
    this.#sampledAtMs = nowMs;
    this.#load = computeLoad(this.#source, this.#settings);
    const level = computeShedLevel(this.#load);
    if (level >= this.#level) {
      this.#lowerSinceMs = undefined;
      this.#setLevel(level);
      return;
    }
    // A level without a measurement for this long is outdated, so it is not held.
    if (unseenMs < this.#settings.holdMs) {
      this.#lowerSinceMs ??= nowMs;
      if (nowMs - this.#lowerSinceMs < this.#settings.holdMs) return;
    }
    this.#lowerSinceMs = undefined;
    this.#setLevel(level);
  }

  #setLevel(level: ShedLevel): void {
    if (level === this.#level) return;
    this.#level = level;
    this.#events.emit({ type: 'ShedLevelChanged', level, load: this.#load });
  }
}
