import type { Clock } from '../time/clock.ts';
import type { AttemptContext } from '../pipeline/pipeline.ts';

/** What the work sees of its attempt. Signal and deadline are made when they are asked for: many pieces of work need neither. */
export class AttemptScope implements AttemptContext {
  private controller: AbortController | undefined;
  private given: { readonly reason: unknown } | undefined;

  /** @param dueMs Monotonic milliseconds. */
  constructor(
    readonly attempt: number,
    private readonly dueMs: number,
    private readonly clock: Clock,
    private readonly monotonic: () => number,
  ) {}

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.given !== undefined) this.controller.abort(this.given.reason);
    }
    return this.controller.signal;
  }

  get deadline(): number {
    return this.clock.now() + this.dueMs - this.monotonic();
  }

  /** Tells the work that nobody waits for it any more. */
  abort(reason: unknown): void {
    this.given = { reason };
    this.controller?.abort(reason);
  }
}
