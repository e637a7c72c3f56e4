import { Call } from '../call/call.ts';
import { AttemptTimeoutError } from '../errors/errors.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';

/** One piece of work that several calls of a key wait for. */
interface Flight {
  readonly call: Call;
  readonly answer: Promise<unknown>;
  readonly controller: AbortController;
  passengers: number;
}

/** Lets calls of one key at one time share one piece of work. Nobody's giving up hurts the others: the work is aborted when the last of them has gone. */
export class Flights {
  private readonly flights = new Map<string, Flight>();

  constructor(private readonly site: PipelineSite) {}

  /** Settles as the shared work does, or with the call's own end. */
  async join(key: string, call: Call, start: (shared: Call) => Promise<unknown>): Promise<unknown> {
    const under = this.flights.get(key);
    if (under !== undefined) {
      this.site.counters.coalesced += 1;
      this.site.events.emit({ type: 'CallCoalesced', key });
    }
    const flight = under ?? this.depart(key, call, start);
    flight.passengers += 1;
    try {
      await this.landed(flight, call);
      return await flight.answer;
    } finally {
      call.attempts = flight.call.attempts;
      flight.passengers -= 1;
      if (flight.passengers === 0 && this.end(key, flight)) flight.controller.abort(call.signal?.aborted === true ? call.signal.reason : new AttemptTimeoutError(this.site.name, Math.round(call.dueMs - call.startedMs)));
    }
  }

  private depart(key: string, call: Call, start: (shared: Call) => Promise<unknown>): Flight {
    const controller = new AbortController();
    const { priority, idempotent } = call.options;
    const shared = new Call(this.site, { key, priority, idempotent, signal: controller.signal }, 'shared');
    const flight: Flight = { call: shared, controller, passengers: 0, answer: start(shared) };
    const land = (): void => void this.end(key, flight);
    flight.answer.then(land, land);
    this.flights.set(key, flight);
    return flight;
  }

  /** Whether it was still under way. */
  private end(key: string, flight: Flight): boolean {
    return this.flights.get(key) === flight && this.flights.delete(key);
  }

  /** @throws what ends the call's own wait */
  private async landed(flight: Flight, call: Call): Promise<void> {
    call.signal?.throwIfAborted();
    const leftMs = call.leftMs();
    const wait = this.site.waits.begin({ ms: leftMs, signal: call.signal, late: () => new AttemptTimeoutError(this.site.name, Math.round(leftMs)) });
    const land = (): void => void wait.end();
    flight.answer.then(land, land);
    await wait.promise;
  }
}
