import type { EventHub } from '../telemetry/event-hub.ts';
import type { ShedLevel } from '../telemetry/pipeline-event.ts';
import { type LoadSource, type Priority, priorities } from './load-source.ts';
import type { ShedSpec } from '../settings/pipeline-spec.ts';

/** How long a measurement of the load is good for, in milliseconds: asking for it costs more than a call. */
const sampleMs = 50;

/** Load 0–1: the worse of event loop and heap, each between where shedding begins and where it is full. */
export function loadOf(load: LoadSource, settings: Required<ShedSpec>): number {
  const delay = (load.eventLoopDelayMs() - settings.eventLoopDelayMsFrom) / (settings.eventLoopDelayMsFull - settings.eventLoopDelayMsFrom);
  const heap = (load.heapUsedShare() - settings.heapUsedShareFrom) / (settings.heapUsedShareFull - settings.heapUsedShareFrom);
  return Math.min(1, Math.max(0, delay, heap));
}

/** What is shed at a load. */
export function shedLevelOf(load: number): ShedLevel {
  if (load <= 0) return 0;
  if (load < 0.5) return 1;
  return load < 0.9 ? 2 : 3;
}

/** Leaves out the least important calls while the process has too much to do. More is shed at once, less only after the load has stayed lower for a while. */
export class LoadShedder {
  private level: ShedLevel = 0;
  private load = 0;
  private sampledAtMs = Number.NEGATIVE_INFINITY;
  private lowerSinceMs: number | undefined;

  constructor(
    private settings: Required<ShedSpec>,
    private readonly source: LoadSource,
    private readonly monotonic: () => number,
    private readonly events: EventHub,
  ) {}

  /** Whether a call of this priority is left out now. */
  sheds(priority: Priority): boolean {
    this.sample();
    return priorities.indexOf(priority) > priorities.length - 1 - this.level;
  }

  get retryAfterMs(): number {
    return this.settings.retryAfterMs;
  }

  update(settings: Required<ShedSpec>): void {
    this.settings = settings;
  }

  snapshot(): { readonly level: ShedLevel; readonly load: number } {
    this.sample();
    return { level: this.level, load: this.load };
  }

  private sample(): void {
    const nowMs = this.monotonic();
    const unseenMs = nowMs - this.sampledAtMs;
    if (unseenMs < sampleMs) return;
    this.sampledAtMs = nowMs;
    this.load = loadOf(this.source, this.settings);
    const level = shedLevelOf(this.load);
    if (level >= this.level) {
      this.lowerSinceMs = undefined;
      this.moveTo(level);
      return;
    }
    // Nobody looked for so long: a level kept from then says nothing about now.
    if (unseenMs < this.settings.holdMs) {
      this.lowerSinceMs ??= nowMs;
      if (nowMs - this.lowerSinceMs < this.settings.holdMs) return;
    }
    this.lowerSinceMs = undefined;
    this.moveTo(level);
  }

  private moveTo(level: ShedLevel): void {
    if (level === this.level) return;
    this.level = level;
    this.events.emit({ type: 'ShedLevelChanged', level, load: this.load });
  }
}
