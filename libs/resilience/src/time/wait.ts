import type { AbortFanOut, AbortHub, Abortable } from './abort-fan-out.ts';
import type { Clock } from './clock.ts';

/** How a {@link Wait} may end besides by {@link Wait.end} and {@link Wait.fail}. */
export interface WaitLimits {
  /** Longest wait in milliseconds. */
  readonly ms: number;
  /** Its abort ends the wait with its reason. */
  readonly signal: AbortSignal | undefined;
  /** What the wait fails with when its time is over; left out, it then ends well. */
  readonly late?: () => unknown;
}

/** One wait of a call: for its back-off, its turn, or another call's answer. It leaves neither timer nor listener behind, however it ends. */
export class Wait implements Abortable {
  readonly promise: Promise<void>;
  abortHub: AbortHub | undefined = undefined;
  abortNext: Abortable | undefined = undefined;
  abortPrevious: Abortable | undefined = undefined;
  private fulfil!: () => void;
  private reject!: (reason: unknown) => void;
  private over = false;
  private readonly handle: unknown;

  constructor(
    private readonly waits: Waits,
    { ms, signal, late }: WaitLimits,
  ) {
    this.promise = new Promise<void>((fulfil, reject) => {
      this.fulfil = fulfil;
      this.reject = reject;
    });
    this.handle = waits.clock.setTimeout(() => (late === undefined ? this.end() : this.fail(late())), ms);
    if (signal !== undefined) waits.fanOut.link(this, signal);
  }

  /** Ends it well. False when it had ended before: whoever waited hears of that end only a moment later. */
  end(): boolean {
    if (!this.release()) return false;
    this.fulfil();
    return true;
  }

  fail(error: unknown): void {
    if (this.release()) this.reject(error);
  }

  aborted(reason: unknown): void {
    this.fail(reason);
  }

  private release(): boolean {
    if (this.over) return false;
    this.over = true;
    this.waits.clock.clearTimeout(this.handle);
    this.waits.fanOut.unlink(this);
    this.waits.remove(this);
    return true;
  }
}

/** All waits of a pipeline, so that closing it can end them. */
export class Waits {
  private readonly waits = new Set<Wait>();

  constructor(
    readonly clock: Clock,
    readonly fanOut: AbortFanOut,
  ) {}

  /** Begins a wait. The signal has not aborted. */
  begin(limits: WaitLimits): Wait {
    const wait = new Wait(this, limits);
    this.waits.add(wait);
    return wait;
  }

  remove(wait: Wait): void {
    this.waits.delete(wait);
  }

  failAll(error: unknown): void {
    for (const wait of this.waits) wait.fail(error);
  }
}
