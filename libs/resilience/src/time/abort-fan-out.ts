/** An object that reacts to the abort of a signal. {@link AbortFanOut} owns the three `abort…` fields. */
export interface Abortable {
  /** Called when the signal aborts: at most once, and never after {@link AbortFanOut.unlink}. */
  onAbort(reason: unknown): void;
  abortHub: AbortHub | undefined;
  abortNext: Abortable | undefined;
  abortPrevious: Abortable | undefined;
}

/** One signal with the linked list of its {@link Abortable} objects. */
export class AbortHub {
  first: Abortable | undefined;
  readonly #onAborted: (hub: AbortHub) => void;

  /** @param onAborted Called after the signal has aborted and the list is empty. */
  constructor(
    readonly signal: AbortSignal,
    onAborted: (hub: AbortHub) => void,
  ) {
    this.#onAborted = onAborted;
    signal.addEventListener('abort', this.#abortAll);
  }

  release(): void {
    this.signal.removeEventListener('abort', this.#abortAll);
  }

  readonly #abortAll = (): void => {
    while (this.first !== undefined) {
      const { first } = this;
      removeFromList(first, this);
      first.onAbort(this.signal.reason);
    }
    this.#onAborted(this);
  };
}

/**
 * Shares one listener per signal between all calls under that signal. Adding a listener costs more than the rest of a call,
 * and listeners must not pile up on a long-lived signal. The listener is removed with the last call of its signal.
 * Exception: the latest signal keeps its listener, because the next call probably uses the same signal.
 */
export class AbortFanOut {
  #latest: AbortHub | undefined;
  readonly #earlier = new Map<AbortSignal, AbortHub>();

  /** @param signal Must not be aborted yet. */
  link(abortable: Abortable, signal: AbortSignal): void {
    const hub = this.#latest?.signal === signal ? this.#latest : this.#makeLatest(signal);
    abortable.abortHub = hub;
    abortable.abortNext = hub.first;
    if (hub.first !== undefined) hub.first.abortPrevious = abortable;
    hub.first = abortable;
  }

  /** Does nothing when the object is not linked. */
  unlink(abortable: Abortable): void {
    const hub = abortable.abortHub;
    if (hub === undefined) return;
    removeFromList(abortable, hub);
    if (hub.first === undefined && hub !== this.#latest) this.#drop(hub);
  }

  /** Removes the listener of the latest signal if no object is linked to it. */
  release(): void {
    if (this.#latest === undefined || this.#latest.first !== undefined) return;
    this.#latest.release();
    this.#latest = undefined;
  }

  #makeLatest(signal: AbortSignal): AbortHub {
    const hub = this.#earlier.get(signal) ?? new AbortHub(signal, this.#forget);
    this.#earlier.delete(signal);
    const latest = this.#latest;
    this.#latest = hub;
    if (latest?.first !== undefined) this.#earlier.set(latest.signal, latest);
    else latest?.release();
    return hub;
  }

  #drop(hub: AbortHub): void {
    this.#earlier.delete(hub.signal);
    hub.release();
  }

  /** A signal aborts only once, and a call under an aborted signal is never linked. */
  readonly #forget = (hub: AbortHub): void => {
    this.#drop(hub);
    if (this.#latest === hub) this.#latest = undefined;
  };
}

function removeFromList(abortable: Abortable, hub: AbortHub): void {
  const { abortPrevious: previous, abortNext: next } = abortable;
  if (previous === undefined) hub.first = next;
  else previous.abortNext = next;
  if (next !== undefined) next.abortPrevious = previous;
  abortable.abortHub = undefined;
  abortable.abortNext = undefined;
  abortable.abortPrevious = undefined;
}
