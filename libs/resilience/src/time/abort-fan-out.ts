/** Something that ends when a signal aborts. The fan-out owns the three fields. */
export interface Abortable {
  /** The signal has aborted. Called at most once, not after {@link AbortFanOut.unlink}. */
  aborted(reason: unknown): void;
  abortHub: AbortHub | undefined;
  abortNext: Abortable | undefined;
  abortPrevious: Abortable | undefined;
}

/** One signal and all that hangs on it. */
export class AbortHub {
  first: Abortable | undefined;

  /** @param onAborted Told when nothing hangs on the aborted signal any more. */
  constructor(
    readonly signal: AbortSignal,
    private readonly onAborted: (hub: AbortHub) => void,
  ) {
    signal.addEventListener('abort', this.abort);
  }

  release(): void {
    this.signal.removeEventListener('abort', this.abort);
  }

  private readonly abort = (): void => {
    while (this.first !== undefined) {
      const { first } = this;
      unchain(first, this);
      first.aborted(this.signal.reason);
    }
    this.onAborted(this);
  };
}

/**
 * One listener for each signal, however many calls hang on it. A listener costs more than all the rest of a call, and a long-lived signal must not collect them:
 * it is removed with the last call of its signal, but for the signal used last, which is likely to be used again.
 */
export class AbortFanOut {
  private latest: AbortHub | undefined;
  private readonly earlier = new Map<AbortSignal, AbortHub>();

  /** @param signal Not aborted yet. */
  link(abortable: Abortable, signal: AbortSignal): void {
    const hub = this.latest?.signal === signal ? this.latest : this.turnTo(signal);
    abortable.abortHub = hub;
    abortable.abortNext = hub.first;
    if (hub.first !== undefined) hub.first.abortPrevious = abortable;
    hub.first = abortable;
  }

  /** Harmless for what is not linked. */
  unlink(abortable: Abortable): void {
    const hub = abortable.abortHub;
    if (hub === undefined) return;
    unchain(abortable, hub);
    if (hub.first === undefined && hub !== this.latest) this.drop(hub);
  }

  /** Lets go of the signal used last, if nothing hangs on it. */
  release(): void {
    if (this.latest === undefined || this.latest.first !== undefined) return;
    this.latest.release();
    this.latest = undefined;
  }

  private turnTo(signal: AbortSignal): AbortHub {
    const hub = this.earlier.get(signal) ?? new AbortHub(signal, this.forget);
    this.earlier.delete(signal);
    const { latest } = this;
    this.latest = hub;
    if (latest?.first !== undefined) this.earlier.set(latest.signal, latest);
    else latest?.release();
    return hub;
  }

  private drop(hub: AbortHub): void {
    this.earlier.delete(hub.signal);
    hub.release();
  }

  /** A signal aborts once, and calls under one that has are never linked. */
  private readonly forget = (hub: AbortHub): void => {
    this.drop(hub);
    if (this.latest === hub) this.latest = undefined;
  };
}

function unchain(abortable: Abortable, hub: AbortHub): void {
  const { abortPrevious: previous, abortNext: next } = abortable;
  if (previous === undefined) hub.first = next;
  else previous.abortNext = next;
  if (next !== undefined) next.abortPrevious = previous;
  abortable.abortHub = undefined;
  abortable.abortNext = undefined;
  abortable.abortPrevious = undefined;
}
