import { Call, type CallDeps } from '../call/call.ts';
import { AttemptTimeoutError } from '../errors/errors.ts';
import type { Waits } from '../time/wait.ts';

/** Work that several calls of one key wait for. */
interface SharedWork {
  readonly call: Call;
  readonly answer: Promise<unknown>;
  readonly controller: AbortController;
  /** Number of calls that wait for the answer. */
  waiters: number;
}

/**
 * Lets concurrent calls of one key share one execution of the work. A call that ends early does not affect the others.
 * When the last waiting call ends, the coalescer aborts the work.
 */
export class Coalescer {
  readonly #deps: CallDeps;
  readonly #waits: Waits;
  readonly #running = new Map<string, SharedWork>();

  constructor(deps: CallDeps, waits: Waits) {
    this.#deps = deps;
    this.#waits = waits;
  }

  /** Settles as the shared work does, or earlier when the call itself ends. */
  async join(key: string, call: Call, start: (shared: Call) => Promise<unknown>): Promise<unknown> {
    const running = this.#running.get(key);
    if (running !== undefined) {
      this.#deps.counters.coalesced += 1;
      this.#deps.events.emit({ type: 'CallCoalesced', key });
    }
    const work = running ?? this.#start(key, call, start);
    work.waiters += 1;
    try {
      await this.#waitFor(work, call);
      return await work.answer;
    } finally {
      call.attempts = work.call.attempts;
      work.waiters -= 1;
      if (work.waiters === 0 && this.#remove(key, work)) work.controller.abort(this.#reasonToAbort(call));
    }
  }

  #start(key: string, call: Call, start: (shared: Call) => Promise<unknown>): SharedWork {
    const controller = new AbortController();
    const { priority, idempotent } = call.options;
    const shared = new Call(this.#deps, { key, priority, idempotent, signal: controller.signal }, 'shared');
    const work: SharedWork = { call: shared, controller, waiters: 0, answer: start(shared) };
    const remove = (): void => void this.#remove(key, work);
    work.answer.then(remove, remove);
    this.#running.set(key, work);
    return work;
  }

  /** Returns false if the work was removed already. */
  #remove(key: string, work: SharedWork): boolean {
    return this.#running.get(key) === work && this.#running.delete(key);
  }

  #reasonToAbort({ signal, dueMs, startedMs }: Call): unknown {
    return signal?.aborted === true ? signal.reason : new AttemptTimeoutError(this.#deps.name, Math.round(dueMs - startedMs));
  }

  /** @throws the error that ends the call's own wait */
  async #waitFor(work: SharedWork, call: Call): Promise<void> {
    call.signal?.throwIfAborted();
    const ms = call.remainingMs();
    const timeoutError = (): AttemptTimeoutError => new AttemptTimeoutError(this.#deps.name, Math.round(ms));
    const wait = this.#waits.start({ ms, signal: call.signal, timeoutError });
    const complete = (): void => void wait.complete();
    work.answer.then(complete, complete);
    await wait.promise;
  }
}
