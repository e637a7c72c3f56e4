import { AnswerCache } from '../cache/answer-cache.ts';
import { AttemptRunner } from '../attempt/attempt-runner.ts';
import { buildSite } from './build-parts.ts';
import { type AnyCallOptions, Call } from '../call/call.ts';
import { checkSettings } from '../settings/check-settings.ts';
import { DeadlineExceededError, PipelineClosedError, PipelineSettingsError, type RejectedError, ShedError } from '../errors/errors.ts';
import type { PipelineEvents } from '../telemetry/pipeline-event.ts';
import type { QueueEntry, ReplaySummary } from '../fallback-queue/fallback-queue.ts';
import { Fallbacks } from '../fallback/fallbacks.ts';
import { Flights } from '../cache/coalescer.ts';
import { LoadShedder } from '../admission/load-shedder.ts';
import type { Outcome } from '../call/outcome.ts';
import { PipelineControls } from './pipeline-controls.ts';
import type { PipelineSite } from './pipeline-site.ts';
import type { AttemptContext, PipelineControl, PipelineDeps, Work } from './pipeline.ts';
import { settingsOf } from '../settings/resolve-settings.ts';
import { Retry } from '../retry/retry.ts';
import { createRetryBudget } from '../retry/rolling-retry-budget.ts';
import type { PipelinePatch, PipelineSettings } from '../settings/pipeline-settings.ts';
import type { PipelineSnapshot } from '../telemetry/pipeline-snapshot.ts';
import type { PipelineSpec } from '../settings/pipeline-spec.ts';

/** The policies put together: each call goes through {@link outcomeOf}, {@link answer}, {@link ask}, or, when nothing of the first two is declared, straight through the last. */
export class PolicyPipeline implements PipelineControl {
  readonly name: string;
  readonly dependency: string;
  readonly events: PipelineEvents;
  private readonly site: PipelineSite;
  private readonly controls: PipelineControls;
  private readonly fallbacks: Fallbacks;
  private readonly cache: AnswerCache | undefined;
  private readonly flights: Flights;
  private readonly shedder: LoadShedder | undefined;
  private readonly retry: Retry | undefined;
  private readonly runner: AttemptRunner;
  /** Whether there is anything around the one attempt of a call. */
  private readonly composed: boolean;

  constructor(
    private readonly spec: PipelineSpec,
    deps: PipelineDeps,
  ) {
    const settings = settingsOf(spec);
    checkSettings(settings);
    if (settings.shed !== undefined && deps.load === undefined) throw new PipelineSettingsError(settings.name, ['shed needs a source of load.']);
    const site = buildSite(spec, settings, deps, () => this.controls.noticeIdle());
    const budget = settings.retry && (deps.retryBudget ?? createRetryBudget(settings.retry.budget, { clock: site.clock }));
    this.site = site;
    this.name = settings.name;
    this.dependency = settings.dependency;
    this.events = site.events;
    this.cache = settings.cache && new AnswerCache(settings.cache.entriesMax);
    this.shedder = settings.shed && new LoadShedder(settings.shed, deps.load!, site.monotonic, site.events);
    this.runner = new AttemptRunner(site);
    this.retry = budget && new Retry(site, this.runner, budget);
    this.flights = new Flights(site);
    this.fallbacks = new Fallbacks(site, spec.fallbacks ?? [], this.cache);
    this.composed = this.retry !== undefined || this.cache !== undefined || settings.fallbacks.length > 0;
    this.controls = new PipelineControls({ site, budget, cache: this.cache, shedder: this.shedder, fallbacks: this.fallbacks, slowMsDerived: spec.breaker !== undefined && spec.breaker.slowMs === undefined });
  }

  get inFlight(): number {
    return this.site.counters.inFlight;
  }

  execute(work: Work<unknown>, options?: AnyCallOptions): Promise<unknown> {
    if (!this.composed && options?.stub === undefined) return this.ask(work, new Call(this.site, options, 'single'));
    return this.outcomeOf(work, new Call(this.site, options)).then(valueOf);
  }

  async executeOutcome(work: Work<unknown>, options?: AnyCallOptions): Promise<Outcome<unknown, unknown>> {
    if (this.composed || options?.stub !== undefined) return await this.outcomeOf(work, new Call(this.site, options));
    const call = new Call(this.site, options, 'single');
    try {
      return { result: 'succeeded', value: await this.ask(work, call), attempts: call.attempts };
    } catch (error) {
      return { result: call.resultOf(error), error, attempts: call.attempts } as Outcome<unknown, unknown>;
    }
  }

  async replay(work: (entry: QueueEntry, context: AttemptContext) => unknown, options: { readonly signal?: AbortSignal } = {}): Promise<ReplaySummary> {
    const fallback = this.spec.fallbacks?.find(({ kind }) => kind === 'queue');
    if (fallback?.kind !== 'queue') throw new TypeError(`The pipeline "${this.name}" has no queue to replay.`);
    const { signal = new AbortController().signal } = options;
    const summary = await fallback.queue.replay(async (entry, context) => await this.replayOne(work, entry, context.signal), { signal });
    this.site.events.emit({ type: 'QueueReplayed', ...summary });
    return summary;
  }

  update(patch: PipelinePatch): void {
    this.controls.update(patch);
  }

  settings(): PipelineSettings {
    return this.site.settings;
  }

  snapshot(): PipelineSnapshot {
    return this.controls.snapshot();
  }

  forceOpen(): void {
    this.controls.setMode('forced-open');
  }

  forceClosed(): void {
    this.controls.setMode('forced-closed');
  }

  disable(): void {
    this.controls.setMode('disabled');
  }

  auto(): void {
    this.controls.setMode('auto');
  }

  drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.controls.drain(options.signal);
  }

  close(): void {
    this.controls.close();
  }

  /** Cache, and fallbacks around everything. Never rejected. */
  private async outcomeOf(work: Work<unknown>, call: Call): Promise<Outcome<unknown, unknown>> {
    const kept = this.fresh(call);
    if (kept !== undefined) {
      call.finish('cached');
      return { result: 'cached', ...kept };
    }
    try {
      const value = await this.answer(work, call);
      call.finish('succeeded');
      return { result: 'succeeded', value, attempts: call.attempts };
    } catch (error) {
      return await this.fallBack(error, call);
    }
  }

  private fresh({ key }: Call): { readonly value: unknown; readonly ageMs: number } | undefined {
    if (this.cache === undefined || key === undefined) return undefined;
    const nowMs = this.site.monotonic();
    const kept = this.cache.get(key, this.site.settings.cache!.freshMs, nowMs);
    if (kept === undefined) return undefined;
    const ageMs = nowMs - kept.atMs;
    this.site.counters.cacheHits += 1;
    this.site.events.emit({ type: 'CacheHit', ageMs });
    return { value: kept.value, ageMs };
  }

  /** The work's own answer: kept for later, and shared by all who ask at this time. */
  private answer(work: Work<unknown>, call: Call): Promise<unknown> {
    const { cache } = this;
    const { key } = call;
    if (cache === undefined || key === undefined) return this.ask(work, call);
    const keep = async (own: Call): Promise<unknown> => {
      const value = await this.ask(work, own);
      if (this.spec.cache!.keeps?.(value) !== false) cache.set(key, value, this.site.monotonic());
      return value;
    };
    if (!this.site.settings.cache!.coalesce) return keep(call);
    const obstacle = this.obstacle(call);
    if (obstacle !== undefined) return this.refuse(call, obstacle);
    if (call.signal?.aborted === true) return Promise.reject(call.signal.reason as Error);
    return this.flights.join(key, call, keep);
  }

  /** Deadline and load, then the attempts. */
  private ask(work: Work<unknown>, call: Call): Promise<unknown> {
    const obstacle = this.obstacle(call);
    if (obstacle !== undefined) return this.refuse(call, obstacle);
    return this.retry === undefined ? this.runner.run(work, call, 0) : this.retry.run(work, call);
  }

  private obstacle({ startedMs, dueMs, options }: Call): RejectedError | undefined {
    if (this.site.state !== 'running') return new PipelineClosedError(this.name);
    if (startedMs >= dueMs) return new DeadlineExceededError(this.name);
    if (this.shedder?.sheds(options.priority ?? 'normal') === true) return new ShedError(this.name, { retryAfterMs: this.shedder.retryAfterMs });
    return undefined;
  }

  private refuse(call: Call, error: RejectedError): Promise<never> {
    call.countRejection(error);
    if (call.single) call.finishWith(error);
    return Promise.reject(error);
  }

  private async fallBack(error: unknown, call: Call): Promise<Outcome<unknown, unknown>> {
    let last = error;
    if (!call.isAbortedBy(error)) {
      try {
        const answer = await this.fallbacks.answer(error, call);
        if (answer !== undefined) {
          const { kind: fallback, ...kept } = answer;
          call.finish('fell-back', error);
          return { result: 'fell-back', fallback, ...kept, error, attempts: call.attempts };
        }
      } catch (failure) {
        last = failure;
      }
    }
    return { result: call.finishWith(last), error: last, attempts: call.attempts } as Outcome<unknown, unknown>;
  }

  private async replayOne(work: (entry: QueueEntry, context: AttemptContext) => unknown, entry: QueueEntry, signal: AbortSignal): Promise<void> {
    const call = new Call(this.site, { key: entry.key, idempotent: true, signal });
    try {
      await this.ask((context) => work(entry, context), call);
      call.finish('succeeded');
    } catch (error) {
      call.finishWith(error);
      throw error;
    }
  }
}

function valueOf(outcome: Outcome<unknown, unknown>): unknown {
  if ('value' in outcome) return outcome.value;
  throw outcome.error;
}
