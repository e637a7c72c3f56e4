/**
 * Whether the client of a request still waits for its answer. An `AbortSignal` says the same, but its listeners cost as much as the rest of
 * the bookkeeping of a purchase.
 */
export class ClientPresence {
  #isGone = false;
  #reason: unknown;
  #listener: ((reason: unknown) => void) | undefined;

  /** The presence of a caller that is in this process. */
  static of(signal: AbortSignal): ClientPresence {
    const client = new ClientPresence();
    if (signal.aborted) client.leave(signal.reason);
    else signal.addEventListener('abort', () => client.leave(signal.reason), { once: true });
    return client;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Why the client is gone; undefined while it waits. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Sets the one listener, or removes it. It is not called when the client is gone already. */
  onGone(listener: ((reason: unknown) => void) | undefined): void {
    this.#listener = listener;
  }

  /** Marks the client as gone. Only the first call counts. */
  leave(reason: unknown): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#reason = reason;
    this.#listener?.(reason);
  }
}
