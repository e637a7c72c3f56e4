/** Tells long-lived work (event streams, long polls) that the service is stopping. */
export class Lifecycle {
  private readonly controller = new AbortController();

  /** Aborted when the service begins to stop: whoever holds a request open ends it now. */
  readonly stopping: AbortSignal = this.controller.signal;

  /** Begins the stop. */
  stop(): void {
    this.controller.abort(new Error('The service is stopping.'));
  }
}
