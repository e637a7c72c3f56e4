import { setTimeout as pause } from 'node:timers/promises';
import { dueMs, plannedRequests, streamNames, type LoadPhase, type StreamName } from './load-phase.ts';
import { inFlightMax, type RequestSender } from './request-sender.ts';
import { StreamTally, type LoadPoint, type StreamTotals } from './stream-tally.ts';

/** Counts of a phase that has ended. */
export interface PhaseResult {
  readonly phase: LoadPhase;
  /** Start of the phase, in seconds from the start of the load. */
  readonly beganSecond: number;
  /** Length of the phase without the wait for the last answers, in seconds. */
  readonly seconds: number;
  readonly totals: Readonly<Partial<Record<StreamName, StreamTotals>>>;
  readonly points: Readonly<Partial<Record<StreamName, readonly LoadPoint[]>>>;
}

/** State of a load that runs. */
export interface LoadState {
  readonly phase: LoadPhase;
  readonly elapsedSeconds: number;
  readonly totals: Readonly<Partial<Record<StreamName, StreamTotals>>>;
}

/** Timers of Node have this resolution at best. */
const tickMs = 2;

/**
 * Sends requests at the rates of its phases, whether or not earlier ones were answered. A request that is due while too many of its stream
 * wait for an answer is dropped and counted.
 */
export class OpenLoad {
  readonly #sender: RequestSender;
  readonly #beganMs = performance.now();
  readonly #inFlight: Record<StreamName, number> = { purchase: 0, batch: 0, query: 0 };
  #state: (() => LoadState) | undefined;

  constructor(sender: RequestSender) {
    this.#sender = sender;
  }

  /** The phase that runs, and its counts so far. */
  get state(): LoadState | undefined {
    return this.#state?.();
  }

  /** Runs a phase, and waits for the last answers. @throws the reason of the signal, when it is aborted */
  async run(phase: LoadPhase, signal: AbortSignal): Promise<PhaseResult> {
    const begunMs = performance.now();
    const intervalSeconds = Math.max(1, Math.round(phase.seconds / 600));
    const streams = streamNames.filter((stream) => plannedRequests(phase, stream) > 0);
    const tallies = new Map(streams.map((stream) => [stream, new StreamTally(plannedRequests(phase, stream), intervalSeconds)]));
    const next = new Map(streams.map((stream) => [stream, 0]));
    const open = new Set<Promise<void>>();
    const totals = (): PhaseResult['totals'] => Object.fromEntries([...tallies].map(([stream, tally]) => [stream, tally.totals]));
    this.#state = () => ({ phase, elapsedSeconds: (performance.now() - begunMs) / 1000, totals: totals() });

    const sendDue = (stream: StreamName): void => {
      const tally = tallies.get(stream)!;
      const nowMs = performance.now() - begunMs;
      for (let index = next.get(stream)!; ; index += 1) {
        const due = dueMs(phase, stream, index);
        next.set(stream, index);
        if (due === undefined || due > nowMs) return;
        if (this.#inFlight[stream] >= inFlightMax[stream]) {
          tally.drop(due);
          continue;
        }
        tally.send(due);
        const sending = this.#send(stream, tally, due, begunMs).finally(() => open.delete(sending));
        open.add(sending);
      }
    };

    while (performance.now() - begunMs < phase.seconds * 1000) {
      signal.throwIfAborted();
      for (const stream of streams) sendDue(stream);
      await pause(tickMs);
    }
    for (const stream of streams) sendDue(stream);
    const seconds = (performance.now() - begunMs) / 1000;
    await Promise.all(open);
    const beganSecond = (begunMs - this.#beganMs) / 1000;
    return {
      phase,
      beganSecond,
      seconds,
      totals: totals(),
      points: Object.fromEntries([...tallies].map(([stream, tally]) => [stream, tally.points(beganSecond)])),
    };
  }

  async #send(stream: StreamName, tally: StreamTally, due: number, begunMs: number): Promise<void> {
    this.#inFlight[stream] += 1;
    const outcome = await this.#sender.send(stream);
    this.#inFlight[stream] -= 1;
    tally.end(due, outcome, performance.now() - begunMs - due);
  }
}
