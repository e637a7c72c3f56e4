/** Tells long-lived work (event streams, long polls) and the listener that the service ends. */
export class Lifecycle {
  readonly #draining = new AbortController();
  readonly #stopping = new AbortController();

  /** Aborted when the service is told to stop: it still serves, and lets its connections go. */
  readonly draining: AbortSignal = this.#draining.signal;

  /** Aborted when the service takes no more requests: work that holds a request open ends it now. */
  readonly stopping: AbortSignal = this.#stopping.signal;

  /** Begins the drain. */
  drain(): void {
    this.#draining.abort(new Error('The service is about to stop.'));
  }

  /** Begins the stop, and the drain if it has not begun. */
  stop(): void {
    this.drain();
    this.#stopping.abort(new Error('The service is stopping.'));
  }
}
