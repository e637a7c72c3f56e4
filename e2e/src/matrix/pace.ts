import { setTimeout as pause } from 'node:timers/promises';

/** Requests by their purpose, to measure the time of each answer. */
export type PacedCalls = Readonly<Record<string, () => Promise<void>>>;

/**
 * Time from the begin of one to the begin of the next, in milliseconds. The next does not wait for the end of the last: slow answers are
 * met as often as users would meet them.
 */
const everyMs = 250;

/**
 * An answer within this time is never late, in milliseconds, because the machine may be busy. An answer that waited for a faulty dependency
 * takes longer.
 */
const soonMs = 2000;

/** How much longer answers may take than before, because all processes share one machine. */
const factorMax = 3;

/** Times of the answers to one call, in milliseconds, and its failures. */
export interface Pace {
  readonly tookMs: readonly number[];
  readonly failures: readonly unknown[];
}

/** Measurements by the purpose of the request. */
export type Paces = Readonly<Record<string, Pace>>;

interface Sample {
  readonly begunMs: number;
  readonly tookMs: number;
  readonly failure: unknown;
}

/** Makes calls until it is stopped. A failed call is not repeated. */
export class Pacing {
  readonly #stop = new AbortController();
  readonly #samples = new Map<string, Sample[]>();
  readonly #running: Promise<unknown>;

  constructor(calls: PacedCalls) {
    this.#running = Promise.all(Object.entries(calls).map(async ([name, ask]) => await this.#sample(name, ask)));
  }

  /** Stops, waits for each answer, and returns the paces of the calls begun before and since a moment. */
  async stop(splitMs: number = performance.now()): Promise<{ readonly before: Paces; readonly since: Paces }> {
    this.#stop.abort();
    await this.#running;
    return { before: this.#paces(({ begunMs }) => begunMs < splitMs), since: this.#paces(({ begunMs }) => begunMs >= splitMs) };
  }

  async #sample(name: string, ask: () => Promise<void>): Promise<void> {
    const samples: Sample[] = [];
    this.#samples.set(name, samples);
    const asked: Promise<void>[] = [];
    while (!this.#stop.signal.aborted) {
      asked.push(timed(ask).then((sample) => void samples.push(sample)));
      await pause(everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    await Promise.all(asked);
  }

  #paces(counts: (sample: Sample) => boolean): Paces {
    return Object.fromEntries([...this.#samples].map(([name, samples]) => [name, paceOf(samples.filter(counts))]));
  }
}

/** The paces of calls over some time, in milliseconds. */
export async function paceOver(calls: PacedCalls, ms: number): Promise<Paces> {
  const pacing = new Pacing(calls);
  await pause(ms);
  return (await pacing.stop()).before;
}

/**
 * Lists the kinds of requests that failed or became slower: half of the answers, or more than a tenth of them, are late. One sentence each.
 */
export function slowedOrFailed(usual: Paces, now: Paces): readonly string[] {
  return Object.entries(now).flatMap(([name, { tookMs, failures }]) => {
    const late = ([0.5, 0.9] as const).flatMap((share) => {
      const tookNowMs = quantile(tookMs, share);
      const limitMs = Math.max(factorMax * quantile(usual[name]!.tookMs, share), soonMs);
      return tookNowMs <= limitMs
        ? []
        : [
            `${name}: ${share * 100} % of ${tookMs.length} answers came within ${Math.round(tookNowMs)} ms, and not within ${Math.round(limitMs)} ms.`,
          ];
    });
    return [...(failures.length === 0 ? [] : [`${name}: ${failures.length} of ${tookMs.length} failed: ${String(failures[0])}`]), ...late];
  });
}

function paceOf(samples: readonly Sample[]): Pace {
  return {
    tookMs: samples.map(({ tookMs }) => tookMs),
    failures: samples.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
  };
}

/** The time within which the given share of the answers came. 0 without an answer. */
function quantile(tookMs: readonly number[], share: number): number {
  return tookMs.toSorted((a, b) => a - b)[Math.ceil(tookMs.length * share) - 1] ?? 0;
}

async function timed(ask: () => Promise<void>): Promise<Sample> {
  const begunMs = performance.now();
  let failure: unknown;
  try {
    await ask();
  } catch (error) {
    failure = error ?? new Error('nothing was thrown');
  }
  return { begunMs, tookMs: performance.now() - begunMs, failure };
}
