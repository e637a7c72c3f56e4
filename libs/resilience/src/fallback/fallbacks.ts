import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Call } from '../call/call.ts';
import { AttemptTimeoutError, FallbacksFullError, PipelineClosedError } from '../errors/errors.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';
import type { FallbackKind, FallbackSpec } from '../settings/pipeline-spec.ts';

/** What a fallback gave. */
export interface FallbackAnswer {
  readonly kind: FallbackKind;
  readonly value: unknown;
  /** Age of a kept answer in milliseconds. */
  readonly ageMs?: number;
}

/** The fallbacks of a pipeline, tried in order. They have a limit of their own: a dependency that is down sends every call here at once. */
export class Fallbacks {
  inFlight = 0;

  constructor(
    private readonly site: PipelineSite,
    private readonly chain: readonly FallbackSpec[],
    private readonly cache: AnswerCache | undefined,
  ) {}

  /**
   * The first fallback that helps; undefined when none is for this error.
   * @throws FallbacksFullError when the last that could have helped had no room
   */
  async answer(error: unknown, call: Call): Promise<FallbackAnswer | undefined> {
    if (error instanceof PipelineClosedError) return undefined;
    let last: unknown;
    for (const fallback of this.chainOf(call)) {
      try {
        if (!(fallback.when === undefined ? this.site.classify(error) !== 'invalid' : fallback.when(error))) continue;
        const answer = await this.attempt(fallback, error, call);
        if (answer === undefined) continue;
        this.tellUsed(answer, error);
        return answer;
      } catch (failure) {
        if (call.isAbortedBy(failure)) throw failure;
        last = failure;
        this.site.counters.fallbackFailures += 1;
        this.site.events.emit({ type: 'FallbackFailed', kind: fallback.kind, error: failure });
      }
    }
    if (last instanceof FallbacksFullError) throw last;
    return undefined;
  }

  private chainOf({ options: { stub } }: Call): readonly FallbackSpec[] {
    return stub === undefined ? this.chain : [...this.chain, { kind: 'stub', value: stub }];
  }

  private tellUsed({ kind, ageMs }: FallbackAnswer, error: unknown): void {
    this.site.counters.fallbacks[kind] += 1;
    this.site.events.emit({ type: 'FallbackUsed', kind, error, ...(ageMs === undefined ? {} : { ageMs }) });
  }

  private async attempt(fallback: FallbackSpec, error: unknown, call: Call): Promise<FallbackAnswer | undefined> {
    const { kind } = fallback;
    // What takes work or time is not for a caller whose deadline has passed: nobody waits for it, and he was promised that it is refused.
    if ((kind === 'stub' || kind === 'queue') && call.dueByCaller && call.leftMs() <= 0) return undefined;
    switch (fallback.kind) {
      case 'cache':
        return this.kept(call);
      case 'silent':
        return { kind, value: undefined };
      case 'stub':
        return { kind, value: await this.limited(call, error, (signal) => fallback.value(error, { key: call.key, signal })) };
      case 'queue': {
        const { entry } = call.options;
        if (entry === undefined) return undefined;
        await this.limited(call, error, (signal) => fallback.queue.put(entry, { signal }));
        return { kind, value: { queued: true, id: entry.id } };
      }
    }
  }

  private kept({ key }: Call): FallbackAnswer | undefined {
    if (key === undefined) return undefined;
    const nowMs = this.site.monotonic();
    // The fallback is refused without a cache, see contradictionsOf.
    const kept = this.cache!.get(key, this.site.settings.cache!.staleMsMax, nowMs);
    return kept === undefined ? undefined : { kind: 'cache', value: kept.value, ageMs: nowMs - kept.atMs };
  }

  /** Does it within the limit and within the time of an attempt. Its place is free again when it has really ended. */
  private async limited<T>(call: Call, cause: unknown, run: (signal: AbortSignal) => T | PromiseLike<T>): Promise<T> {
    const { name, settings, waits } = this.site;
    if (this.inFlight >= settings.fallbackConcurrencyMax) {
      const refusal = new FallbacksFullError(name, { cause });
      call.countRejection(refusal);
      throw refusal;
    }
    call.signal?.throwIfAborted();
    this.inFlight += 1;
    const controller = new AbortController();
    const { attemptMs } = settings.timeout;
    const wait = waits.begin({ ms: attemptMs, signal: call.signal, late: () => new AttemptTimeoutError(name, attemptMs) });
    const work = new Promise<T>((resolve) => resolve(run(controller.signal)));
    const ended = (): void => {
      this.inFlight -= 1;
      wait.end();
      this.site.noticeIdle();
    };
    work.then(ended, ended);
    try {
      await wait.promise;
    } catch (error) {
      controller.abort(error);
      throw error;
    }
    return await work;
  }
}
