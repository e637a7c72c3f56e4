import type { AnswerCache } from '../cache/answer-cache.ts';
import { checkSettings } from '../settings/check-settings.ts';
import { PipelineClosedError } from '../errors/errors.ts';
import type { Fallbacks } from '../fallback/fallbacks.ts';
import type { LoadShedder } from '../admission/load-shedder.ts';
import type { PipelineSite } from './pipeline-site.ts';
import { patched } from '../settings/resolve-settings.ts';
import type { RetryBudget } from '../retry/retry-budget.ts';
import type { PipelinePatch } from '../settings/pipeline-settings.ts';
import type { BreakerMode, PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';
import { TimerQueue } from '../time/timer-queue.ts';

/** What an operator may act on. */
export interface ControlledParts {
  readonly site: PipelineSite;
  readonly budget: RetryBudget | undefined;
  readonly cache: AnswerCache | undefined;
  readonly shedder: LoadShedder | undefined;
  readonly fallbacks: Fallbacks;
  /** Whether `breaker.slowMs` was left out: it is half of `timeout.attemptMs` then, whatever that becomes. */
  readonly slowMsDerived: boolean;
}

/** The operator's side of a pipeline: look, change, drain, close. */
export class PipelineControls {
  private readonly drains = new Set<() => void>();

  private slowMsDerived: boolean;

  constructor(private readonly parts: ControlledParts) {
    this.slowMsDerived = parts.slowMsDerived;
  }

  update(asked: PipelinePatch): void {
    const { site, budget, cache, shedder } = this.parts;
    const patch = this.withDerived(asked);
    const settings = patched(site.settings, patch);
    checkSettings(settings);
    site.settings = settings;
    if (asked.breaker?.slowMs !== undefined) this.slowMsDerived = false;
    if (settings.timeout.attemptMs !== site.attemptTimers.limitMs) site.attemptTimers = new TimerQueue(settings.timeout.attemptMs, site.clock, site.monotonic);
    if (settings.breaker !== undefined) site.breaker!.update(settings.breaker);
    if (settings.bulkhead !== undefined) site.bulkhead!.update(settings.bulkhead);
    if (settings.shed !== undefined) shedder!.update(settings.shed);
    if (settings.cache !== undefined) cache!.resize(settings.cache.entriesMax);
    if (patch.retry?.budget !== undefined) budget!.update(patch.retry.budget);
    if (patch.chaos !== undefined) site.chaos!.release();
    site.events.emit({ type: 'SettingsChanged', changed: pathsOf(patch) });
  }

  private withDerived(patch: PipelinePatch): PipelinePatch {
    const attemptMs = patch.timeout?.attemptMs;
    if (!this.slowMsDerived || attemptMs === undefined) return patch;
    return { ...patch, breaker: { slowMs: attemptMs / 2, ...patch.breaker } };
  }

  setMode(mode: BreakerMode): void {
    const { breaker, name } = this.parts.site;
    if (breaker === undefined) throw new TypeError(`The pipeline "${name}" has no circuit breaker.`);
    breaker.setMode(mode);
  }

  /** Resolves when nothing runs any more. */
  async drain(signal: AbortSignal | undefined): Promise<void> {
    const { site } = this.parts;
    if (site.state === 'running') site.state = 'draining';
    signal?.throwIfAborted();
    if (this.idle) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.drains.delete(done);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.drains.delete(done);
        reject(signal!.reason as Error);
      };
      this.drains.add(done);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  close(): void {
    const { site } = this.parts;
    if (site.state === 'closed') return;
    site.state = 'closed';
    site.waits.failAll(new PipelineClosedError(site.name));
    site.chaos?.release();
    site.gate?.shutdown();
    site.events.emit({ type: 'PipelineClosed' });
    this.noticeIdle();
  }

  noticeIdle(): void {
    const { site } = this.parts;
    if (site.state === 'running' || !this.idle) return;
    for (const done of this.drains) done();
    site.attemptTimers.release();
    site.fanOut.release();
  }

  snapshot(): PipelineSnapshot {
    const { site, budget, cache, shedder, fallbacks } = this.parts;
    const { breaker, bulkhead, counters, events, settings } = site;
    return {
      name: site.name,
      dependency: settings.dependency,
      ...(breaker && { breaker: breaker.snapshot() }),
      ...(bulkhead && { bulkhead: { concurrencyMax: bulkhead.limits.concurrencyMax, queueMax: bulkhead.limits.queueMax, queued: bulkhead.queued } }),
      inFlight: counters.inFlight,
      zombies: counters.zombies,
      ...(budget && { retryBudget: { available: budget.available(), ratio: budget.settings.ratio, perSecondMin: budget.settings.perSecondMin } }),
      ...(shedder && { shed: shedder.snapshot() }),
      ...(cache && { cache: { entries: cache.size, entriesMax: settings.cache!.entriesMax, hits: counters.cacheHits, coalesced: counters.coalesced } }),
      fallbacks: { inFlight: fallbacks.inFlight, concurrencyMax: settings.fallbackConcurrencyMax },
      totals: counters.totals(events.listenerErrors),
      closed: site.state !== 'running',
    };
  }

  private get idle(): boolean {
    const { site, fallbacks } = this.parts;
    return site.counters.active === 0 && site.counters.inFlight === 0 && fallbacks.inFlight === 0;
  }
}

/** Every field that a patch names, such as `breaker.openMs`. */
function pathsOf(patch: PipelinePatch): string[] {
  return Object.entries(patch).flatMap(([policy, value]: [string, unknown]) =>
    typeof value === 'object' ? Object.keys(value!).map((field) => `${policy}.${field}`) : [policy],
  );
}
