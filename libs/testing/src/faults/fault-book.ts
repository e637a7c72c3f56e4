import { fits, type Fault, type FaultKind, type RequestMatcher, type SeenRequest } from './fault.ts';

/** Number and kind of the requests that a fault affects. */
export interface InjectOptions {
  /** Requests until the fault ends by itself. Default: until cleared. */
  readonly times?: number;
  /** Requests that the fault affects. Default: all. */
  readonly when?: RequestMatcher;
}

/** A fault that was injected. */
export interface ActiveFault {
  readonly fault: Fault;
  /** Number of requests that it has affected. */
  readonly hits: number;
  /** Whether it will affect more. */
  readonly active: boolean;
  /** Resolves once it has met `count` requests (default 1). */
  hit(count?: number): Promise<void>;
  /**
   * Resolves once `count` requests (default 1) that it met have run their course: answered, cut off, or delivered late. Those in a black
   * hole never do.
   */
  done(count?: number): Promise<void>;
  /** Ends the fault. Held bytes of a stream flow again. */
  clear(): Promise<void>;
}

/** Counts of the traffic of a proxy. */
export interface ProxyCounts {
  /** Requests that came, faulty ones included. */
  readonly seen: number;
  /** Requests that came and have not run their course; those in a black hole stay in it as long as their client waits. */
  readonly inFlight: number;
  /** Requests met per kind of fault. */
  readonly hits: Readonly<Partial<Record<FaultKind, number>>>;
}

/** One injected fault, as the relays see it. */
export class Rule {
  readonly fault: Fault;
  readonly when: RequestMatcher;
  readonly untilCleared: boolean;
  hits = 0;
  #left: number;
  #done = 0;
  #waiting: { readonly count: number; readonly of: 'hits' | 'done'; readonly resolve: () => void }[] = [];
  readonly #cleared = new AbortController();

  constructor(fault: Fault, { times = Infinity, when = {} }: InjectOptions) {
    this.fault = fault;
    this.when = when;
    this.untilCleared = times === Infinity;
    this.#left = times;
  }

  /** Aborted when the fault is cleared. */
  get cleared(): AbortSignal {
    return this.#cleared.signal;
  }

  get active(): boolean {
    return this.#left > 0 && !this.cleared.aborted;
  }

  take(request: SeenRequest): boolean {
    if (!this.active || !fits(request, this.when)) return false;
    this.#left -= 1;
    this.hits += 1;
    this.#tell();
    return true;
  }

  finish(): void {
    this.#done += 1;
    this.#tell();
  }

  clear(): void {
    this.#cleared.abort();
  }

  async reached(of: 'hits' | 'done', count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ count, of, resolve });
      this.#tell();
    });
  }

  #tell(): void {
    const reached = (of: 'hits' | 'done'): number => (of === 'hits' ? this.hits : this.#done);
    for (const { of, count, resolve } of this.#waiting) if (reached(of) >= count) resolve();
    this.#waiting = this.#waiting.filter(({ of, count }) => reached(of) < count);
  }
}

/** The faults of one proxy, and its counts. */
export class FaultBook {
  #rules: Rule[] = [];
  readonly #hits: Partial<Record<FaultKind, number>> = {};
  #seen = 0;
  #inFlight = 0;

  add(rule: Rule): void {
    this.#rules.push(rule);
  }

  clear(): Rule[] {
    const rules = this.#rules;
    this.#rules = [];
    for (const rule of rules) rule.clear();
    return rules;
  }

  /** Counts a request and finds the fault that meets it: the first injected that fits. */
  take(request: SeenRequest): Rule | undefined {
    this.#seen += 1;
    this.#inFlight += 1;
    const rule = this.#rules.find((one) => one.fault.kind !== 'refuse' && one.take(request));
    this.#rules = this.#rules.filter((one) => one.active);
    if (rule !== undefined) this.#hits[rule.fault.kind] = (this.#hits[rule.fault.kind] ?? 0) + 1;
    return rule;
  }

  /** Marks a request as done. */
  finish(rule: Rule | undefined): void {
    this.#inFlight -= 1;
    rule?.finish();
  }

  /** The black hole that swallows everything just now, answers included. */
  blackHole(): Rule | undefined {
    return this.#rules.find(
      ({ fault, when, untilCleared, active }) => fault.kind === 'black-hole' && untilCleared && active && Object.keys(when).length === 0,
    );
  }

  counts(): ProxyCounts {
    return { seen: this.#seen, inFlight: this.#inFlight, hits: { ...this.#hits } };
  }
}
