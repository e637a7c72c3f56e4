import type { Counters } from '../telemetry/counters.ts';

/** Whether a pipeline takes new calls (`running`), only finishes old ones (`draining`), or starts no further attempt either (`closed`). */
export type PipelineState = 'running' | 'draining' | 'closed';

/** State of a pipeline from its start to its end. */
export class Lifecycle {
  #state: PipelineState = 'running';
  readonly #counters: Counters;
  readonly #onIdle: () => void;
  readonly #drains = new Set<() => void>();

  /** @param onIdle Called when a pipeline that has stopped is idle. It may be called several times. */
  constructor(counters: Counters, onIdle: () => void) {
    this.#counters = counters;
    this.#onIdle = onIdle;
  }

  get state(): PipelineState {
    return this.#state;
  }

  /** Stops taking calls. Resolves when no work runs any more. @throws the signal's reason */
  async drain(signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === 'running') this.#state = 'draining';
    signal?.throwIfAborted();
    if (this.#counters.idle) return;
    await new Promise<void>((resolve, reject) => {
      const finish = (): void => {
        this.#drains.delete(finish);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#drains.delete(finish);
        reject(signal!.reason as Error);
      };
      this.#drains.add(finish);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Stops taking calls and attempts. Returns false if the pipeline was closed already. */
  close(): boolean {
    if (this.#state === 'closed') return false;
    this.#state = 'closed';
    return true;
  }

  /** Call it after each end of a call, its work or its fallback. */
  noticeIdle(): void {
    if (this.#state === 'running' || !this.#counters.idle) return;
    for (const finish of this.#drains) finish();
    this.#onIdle();
  }
}
