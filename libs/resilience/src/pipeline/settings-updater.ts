import { checkSettings } from '../settings/check-settings.ts';
import type { PipelinePatch } from '../settings/pipeline-settings.ts';
import { applyPatch } from '../settings/resolve-settings.ts';
import { TimerQueue } from '../time/timer-queue.ts';
import type { PipelineParts } from './build-parts.ts';

type UpdatedParts = Pick<PipelineParts, 'call' | 'attempt' | 'budget' | 'cache' | 'shedder' | 'events'>;

/** Changes the settings of a pipeline at run time. */
export class SettingsUpdater {
  readonly #parts: UpdatedParts;
  #slowCallMsDerived: boolean;

  /** @param slowCallMsDerived Whether the spec omits `breaker.slowCallMs`. It then follows `timeout.attemptMs` until a patch sets it. */
  constructor(parts: UpdatedParts, slowCallMsDerived: boolean) {
    this.#parts = parts;
    this.#slowCallMsDerived = slowCallMsDerived;
  }

  /** @throws PipelineSettingsError when the new settings are invalid; nothing changes then */
  update(requested: PipelinePatch): void {
    const { call, attempt, budget, cache, shedder, events } = this.#parts;
    const patch = this.#addDerived(requested);
    const settings = applyPatch(call.settings.current, patch);
    checkSettings(settings);
    call.settings.current = settings;
    if (requested.breaker?.slowCallMs !== undefined) this.#slowCallMsDerived = false;
    if (settings.timeout.attemptMs !== attempt.timers.limitMs) {
      attempt.timers = new TimerQueue(settings.timeout.attemptMs, attempt.clock, attempt.monotonic);
    }
    if (settings.breaker !== undefined) attempt.breaker!.update(settings.breaker);
    if (settings.bulkhead !== undefined) attempt.bulkhead!.update(settings.bulkhead);
    if (settings.shed !== undefined) shedder!.update(settings.shed);
    if (settings.cache !== undefined) cache!.resize(settings.cache.entriesMax);
    if (patch.retry?.budget !== undefined) budget!.update(patch.retry.budget);
    if (patch.chaos !== undefined) attempt.chaos!.update(settings.chaos.rules);
    events.emit({ type: 'SettingsChanged', changed: listPaths(patch) });
  }

  #addDerived(patch: PipelinePatch): PipelinePatch {
    const attemptMs = patch.timeout?.attemptMs;
    if (!this.#slowCallMsDerived || attemptMs === undefined) return patch;
    return { ...patch, breaker: { slowCallMs: attemptMs / 2, ...patch.breaker } };
  }
}

/** Path of every field in a patch, such as `breaker.breakDurationMs`. */
function listPaths(patch: PipelinePatch): string[] {
  return Object.entries(patch).flatMap(([policy, value]: [string, unknown]) =>
    typeof value === 'object' ? Object.keys(value!).map((field) => `${policy}.${field}`) : [policy],
  );
}
