/** Signals the stop of the service to long-lived work (event streams, long polls) and to the listener. */
export class Lifecycle {
  readonly #draining = new AbortController();
  readonly #stopping = new AbortController();

  /** Aborted at the begin of a stop: the service still serves, and closes its connections. */
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
