import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Call } from '../call/call.ts';
import type { Lifecycle } from '../call/lifecycle.ts';
import type { ErrorClass } from '../errors/error-class.ts';
import { AttemptTimeoutError, FallbacksFullError, PipelineClosedError } from '../errors/errors.ts';
import type { SettingsInForce } from '../settings/pipeline-settings.ts';
import type { FallbackKind, FallbackSpec } from '../settings/pipeline-spec.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import type { Waits } from '../time/wait.ts';

/** Answer of a fallback. */
export interface FallbackAnswer {
  readonly kind: FallbackKind;
  readonly value: unknown;
  /** Age of a cached answer in milliseconds. */
  readonly ageMs?: number;
}

/** Dependencies of the fallbacks. */
export interface FallbacksDeps {
  /** Name of the pipeline. */
  readonly name: string;
  readonly cache: AnswerCache | undefined;
  readonly settings: SettingsInForce;
  readonly classify: (error: unknown) => ErrorClass;
  readonly monotonic: () => number;
  readonly waits: Waits;
  readonly lifecycle: Pick<Lifecycle, 'noticeIdle'>;
  readonly counters: Counters;
  readonly events: EventHub;
}

/** Tries the fallbacks of a pipeline in order. They have their own concurrency limit, because an outage sends every call here at once. */
export class Fallbacks {
  readonly #chain: readonly FallbackSpec[];
  readonly #deps: FallbacksDeps;

  constructor(chain: readonly FallbackSpec[], deps: FallbacksDeps) {
    this.#chain = chain;
    this.#deps = deps;
  }

  /**
   * Returns the answer of the first fallback that succeeds, or undefined if none applies.
   * @throws FallbacksFullError when the last fallback that applied exceeded the concurrency limit
   */
  async answer(error: unknown, call: Call): Promise<FallbackAnswer | undefined> {
    if (error instanceof PipelineClosedError) return undefined;
    const { counters, events } = this.#deps;
    let last: unknown;
    for (const fallback of this.#listFor(call)) {
      try {
        if (!this.#appliesTo(fallback, error)) continue;
        const answer = await this.#run(fallback, error, call);
        if (answer === undefined) continue;
        this.#countUse(answer, error);
        return answer;
      } catch (failure) {
        if (call.isAbortedBy(failure)) throw failure;
        last = failure;
        counters.fallbackFailures += 1;
        events.emit({ type: 'FallbackFailed', kind: fallback.kind, error: failure });
      }
    }
    if (last instanceof FallbacksFullError) throw last;
    return undefined;
  }

  #listFor({ options: { stub } }: Call): readonly FallbackSpec[] {
    return stub === undefined ? this.#chain : [...this.#chain, { kind: 'stub', value: stub }];
  }

  #appliesTo({ when }: FallbackSpec, error: unknown): boolean {
    return when === undefined ? this.#deps.classify(error) !== 'invalid' : when(error);
  }

  #countUse({ kind, ageMs }: FallbackAnswer, error: unknown): void {
    const { counters, events } = this.#deps;
    counters.fallbacks[kind] += 1;
    events.emit({ type: 'FallbackUsed', kind, error, ...(ageMs === undefined ? {} : { ageMs }) });
  }

  async #run(fallback: FallbackSpec, error: unknown, call: Call): Promise<FallbackAnswer | undefined> {
    const { kind } = fallback;
    // After its deadline a caller no longer waits and expects a rejection. Do not start work for it.
    if ((kind === 'stub' || kind === 'queue') && call.dueByCaller && call.remainingMs() <= 0) return undefined;
    switch (fallback.kind) {
      case 'cache':
        return this.#readCache(call);
      case 'silent':
        return { kind, value: undefined };
      case 'stub':
        return { kind, value: await this.#runLimited(call, error, (signal) => fallback.value(error, { key: call.key, signal })) };
      case 'queue': {
        const { entries: given = [] } = call.options;
        const entries = typeof given === 'function' ? given(error) : given;
        if (entries.length === 0) return undefined;
        await this.#runLimited(call, error, (signal) => fallback.queue.put(entries, { signal }));
        return { kind, value: { queued: true, ids: entries.map(({ id }) => id) } };
      }
    }
  }

  #readCache({ key }: Call): FallbackAnswer | undefined {
    if (key === undefined) return undefined;
    const { cache, settings, monotonic } = this.#deps;
    const nowMs = monotonic();
    // checkSettings rejects a cache fallback without a cache.
    const cached = cache!.get(key, settings.current.cache!.staleMsMax, nowMs);
    return cached === undefined ? undefined : { kind: 'cache', value: cached.value, ageMs: nowMs - cached.atMs };
  }

  /** Runs a fallback within the concurrency limit and the attempt timeout. It counts as running until it has really ended. */
  async #runLimited<T>(call: Call, cause: unknown, run: (signal: AbortSignal) => T | PromiseLike<T>): Promise<T> {
    const { name, settings, waits, lifecycle, counters } = this.#deps;
    if (counters.fallbacksInFlight >= settings.current.fallbackConcurrencyMax) {
      const rejection = new FallbacksFullError(name, { cause });
      call.countRejection(rejection);
      throw rejection;
    }
    call.signal?.throwIfAborted();
    counters.fallbacksInFlight += 1;
    const controller = new AbortController();
    const { attemptMs } = settings.current.timeout;
    const wait = waits.start({ ms: attemptMs, signal: call.signal, timeoutError: () => new AttemptTimeoutError(name, attemptMs) });
    const work = new Promise<T>((resolve) => resolve(run(controller.signal)));
    const onEnd = (): void => {
      counters.fallbacksInFlight -= 1;
      wait.complete();
      lifecycle.noticeIdle();
    };
    work.then(onEnd, onEnd);
    try {
      await wait.promise;
    } catch (error) {
      controller.abort(error);
      throw error;
    }
    return await work;
  }
}
