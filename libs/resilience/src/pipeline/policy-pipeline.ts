import type { AnyCallOptions } from '../call/call-options.ts';
import { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { AttemptContext, Work } from '../call/work.ts';
import { DeadlineExceededError, PipelineClosedError, PipelineSettingsError, type RejectedError, ShedError } from '../errors/errors.ts';
import type { QueueEntry, ReplaySummary } from '../fallback-queue/fallback-queue.ts';
import { checkSettings } from '../settings/check-settings.ts';
import type { PipelinePatch, PipelineSettings } from '../settings/pipeline-settings.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';
import type { BreakerMode, PipelineEvents } from '../telemetry/pipeline-event.ts';
import type { PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';
import { buildParts, type PipelineParts } from './build-parts.ts';
import type { PipelineControl, PipelineDeps } from './pipeline.ts';
import { SettingsUpdater } from './settings-updater.ts';
import { takeSnapshot } from './take-snapshot.ts';

type ReplayWork = (entries: readonly QueueEntry[], context: AttemptContext) => unknown;

/**
 * Combines the policies. A call passes `#runToOutcome` (fresh answers and fallbacks), `#runCached` (cache and coalescing) and
 * `#runAdmitted` (deadline, load shedding, retries, attempts). Without retries, cache and fallbacks it goes to `#runAdmitted` directly.
 */
export class PolicyPipeline implements PipelineControl {
  readonly name: string;
  readonly dependency: string;
  readonly events: PipelineEvents;
  readonly #spec: PipelineSpec;
  readonly #parts: PipelineParts;
  readonly #updater: SettingsUpdater;
  /** Whether retries, a cache or fallbacks surround the attempts. */
  readonly #composed: boolean;

  constructor(spec: PipelineSpec, deps: PipelineDeps) {
    const settings = resolveSettings(spec);
    checkSettings(settings);
    if (settings.shed !== undefined && deps.load === undefined) {
      throw new PipelineSettingsError(settings.name, ['shed needs a source of load.']);
    }
    this.#spec = spec;
    this.#parts = buildParts(spec, settings, deps);
    this.#updater = new SettingsUpdater(this.#parts, spec.breaker !== undefined && spec.breaker.slowCallMs === undefined);
    this.#composed = settings.retry !== undefined || settings.cache !== undefined || settings.fallbacks.length > 0;
    this.name = settings.name;
    this.dependency = settings.dependency;
    this.events = this.#parts.events;
  }

  get inFlight(): number {
    return this.#parts.call.counters.inFlight;
  }

  execute(work: Work<unknown>, options?: AnyCallOptions): Promise<unknown> {
    if (!this.#composed && options?.stub === undefined) return this.#runAdmitted(work, new Call(this.#parts.call, options, 'single'));
    return this.#runToOutcome(work, new Call(this.#parts.call, options)).then(unwrap);
  }

  async executeOutcome(work: Work<unknown>, options?: AnyCallOptions): Promise<Outcome<unknown, unknown>> {
    if (this.#composed || options?.stub !== undefined) return await this.#runToOutcome(work, new Call(this.#parts.call, options));
    const call = new Call(this.#parts.call, options, 'single');
    try {
      return { result: 'succeeded', value: await this.#runAdmitted(work, call), attempts: call.attempts };
    } catch (error) {
      return { result: call.classifyEnd(error), error, attempts: call.attempts } as Outcome<unknown, unknown>;
    }
  }

  async replay(work: ReplayWork, options: { readonly signal?: AbortSignal } = {}): Promise<ReplaySummary> {
    const fallback = this.#spec.fallbacks?.find(({ kind }) => kind === 'queue');
    if (fallback?.kind !== 'queue') throw new TypeError(`The pipeline "${this.name}" has no queue to replay.`);
    const { signal = new AbortController().signal } = options;
    const run = async (entries: readonly QueueEntry[], context: { readonly signal: AbortSignal }): Promise<void> =>
      await this.#replayGroup(work, entries, context.signal);
    const summary = await fallback.queue.replay(run, { signal });
    this.#parts.events.emit({ type: 'QueueReplayed', ...summary });
    return summary;
  }

  update(patch: PipelinePatch): void {
    this.#updater.update(patch);
  }

  settings(): PipelineSettings {
    return this.#parts.call.settings.current;
  }

  snapshot(): PipelineSnapshot {
    return takeSnapshot(this.#parts);
  }

  forceOpen(): void {
    this.#setMode('forced-open');
  }

  forceClosed(): void {
    this.#setMode('forced-closed');
  }

  disable(): void {
    this.#setMode('disabled');
  }

  auto(): void {
    this.#setMode('auto');
  }

  drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#parts.lifecycle.drain(options.signal);
  }

  close(): void {
    const { lifecycle, waits, attempt, gate, events } = this.#parts;
    if (!lifecycle.close()) return;
    waits.failAll(new PipelineClosedError(this.name));
    attempt.chaos?.release();
    gate?.shutdown();
    events.emit({ type: 'PipelineClosed' });
    lifecycle.noticeIdle();
  }

  #setMode(mode: BreakerMode): void {
    const { breaker } = this.#parts.attempt;
    if (breaker === undefined) throw new TypeError(`The pipeline "${this.name}" has no circuit breaker.`);
    breaker.setMode(mode);
  }

  /** Never rejected. */
  async #runToOutcome(work: Work<unknown>, call: Call): Promise<Outcome<unknown, unknown>> {
    const fresh = this.#readFreshAnswer(call);
    if (fresh !== undefined) {
      call.finish('cached');
      return { result: 'cached', ...fresh };
    }
    try {
      const value = await this.#runCached(work, call);
      call.finish('succeeded');
      return { result: 'succeeded', value, attempts: call.attempts };
    } catch (error) {
      return await this.#fallBack(error, call);
    }
  }

  #readFreshAnswer({ key }: Call): { readonly value: unknown; readonly ageMs: number } | undefined {
    const { cache, call, events } = this.#parts;
    if (cache === undefined || key === undefined) return undefined;
    const nowMs = call.monotonic();
    const cached = cache.get(key, call.settings.current.cache!.freshMs, nowMs);
    if (cached === undefined) return undefined;
    const ageMs = nowMs - cached.atMs;
    call.counters.cacheHits += 1;
    events.emit({ type: 'CacheHit', ageMs });
    return { value: cached.value, ageMs };
  }

  /** Runs the work, caches its answer and shares it with concurrent calls of the same key. */
  #runCached(work: Work<unknown>, call: Call): Promise<unknown> {
    const { cache, coalescer, call: deps } = this.#parts;
    const { key } = call;
    if (cache === undefined || key === undefined) return this.#runAdmitted(work, call);
    const runAndCache = async (own: Call): Promise<unknown> => {
      const value = await this.#runAdmitted(work, own);
      if (this.#spec.cache!.isCacheable?.(value) !== false) cache.set(key, value, deps.monotonic());
      return value;
    };
    if (!deps.settings.current.cache!.coalesce) return runAndCache(call);
    const rejection = this.#findRejection(call);
    if (rejection !== undefined) return this.#reject(call, rejection);
    if (call.signal?.aborted === true) return Promise.reject(call.signal.reason as Error);
    return coalescer.join(key, call, runAndCache);
  }

  /** Checks state, deadline and load, then makes the attempts. */
  #runAdmitted(work: Work<unknown>, call: Call): Promise<unknown> {
    const rejection = this.#findRejection(call);
    if (rejection !== undefined) return this.#reject(call, rejection);
    const { retry, runner } = this.#parts;
    return retry === undefined ? runner.run(work, call, 0) : retry.run(work, call);
  }

  #findRejection({ startedMs, dueMs, options }: Call): RejectedError | undefined {
    const { lifecycle, shedder } = this.#parts;
    if (lifecycle.state !== 'running') return new PipelineClosedError(this.name);
    if (startedMs >= dueMs) return new DeadlineExceededError(this.name);
    if (shedder?.sheds(options.priority ?? 'normal') === true) return new ShedError(this.name, { retryAfterMs: shedder.retryAfterMs });
    return undefined;
  }

  #reject(call: Call, error: RejectedError): Promise<never> {
    call.countRejection(error);
    if (call.single) call.finishWithError(error);
    return Promise.reject(error);
  }

  async #fallBack(error: unknown, call: Call): Promise<Outcome<unknown, unknown>> {
    let last = error;
    if (!call.isAbortedBy(error)) {
      try {
        const answer = await this.#parts.fallbacks.answer(error, call);
        if (answer !== undefined) {
          const { kind: fallback, ...value } = answer;
          call.finish('fell-back', error);
          return { result: 'fell-back', fallback, ...value, error, attempts: call.attempts };
        }
      } catch (failure) {
        last = failure;
      }
    }
    return { result: call.finishWithError(last), error: last, attempts: call.attempts } as Outcome<unknown, unknown>;
  }

  async #replayGroup(work: ReplayWork, entries: readonly QueueEntry[], signal: AbortSignal): Promise<void> {
    const call = new Call(this.#parts.call, { key: entries[0]!.key, idempotent: true, signal });
    try {
      await this.#runAdmitted((context) => work(entries, context), call);
      call.finish('succeeded');
    } catch (error) {
      call.finishWithError(error);
      throw error;
    }
  }
}

function unwrap(outcome: Outcome<unknown, unknown>): unknown {
  if ('value' in outcome) return outcome.value;
  throw outcome.error;
}
