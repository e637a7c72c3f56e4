import type { AttemptContext, Work } from '../call/work.ts';
import { ChaosFaultError } from '../errors/errors.ts';
import type { ChaosRule } from '../settings/pipeline-spec.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { EventHub } from '../telemetry/event-hub.ts';
import { type Clock, sleep } from '../time/clock.ts';

/** Dependencies of the chaos policy. */
export interface ChaosDeps {
  /** Name of the pipeline. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: EventHub;
  readonly counters: Counters;
}

/** Injects faults before the work or instead of it. */
export class Chaos {
  readonly #deps: ChaosDeps;
  #rules: readonly ChaosRule[];
  readonly #hanging = new Set<(error: unknown) => void>();

  constructor(rules: readonly ChaosRule[], deps: ChaosDeps) {
    this.#rules = rules;
    this.#deps = deps;
  }

  /** Runs the work under the first rule that matches. */
  run<T>(work: Work<T>, context: AttemptContext, key: string | undefined): unknown {
    const rule = this.#rules.find((candidate) => this.#matches(candidate, key));
    if (rule === undefined) return work(context);
    const { name, events, counters } = this.#deps;
    counters.chaosInjections += 1;
    events.emit({ type: 'ChaosInjected', kind: rule.kind });
    switch (rule.kind) {
      case 'latency':
        return this.#delay(rule.ms, work, context);
      case 'fault':
        throw rule.error === undefined ? new ChaosFaultError(name) : rule.error();
      case 'outcome':
        return rule.value;
      case 'hang':
        return new Promise((_, reject) => this.#hanging.add(reject));
    }
  }

  /** Replaces the rules and fails the attempts that hang. */
  update(rules: readonly ChaosRule[]): void {
    this.#rules = rules;
    this.release();
  }

  /** Fails the attempts that hang. */
  release(): void {
    for (const reject of this.#hanging) reject(new ChaosFaultError(this.#deps.name));
    this.#hanging.clear();
  }

  #matches({ rate, keys }: ChaosRule, key: string | undefined): boolean {
    if (keys !== undefined && (key === undefined || !keys.includes(key))) return false;
    return rate === undefined || this.#deps.random() < rate;
  }

  async #delay<T>(ms: number, work: Work<T>, context: AttemptContext): Promise<T> {
    await sleep(ms, { clock: this.#deps.clock, signal: context.signal });
    return await work(context);
  }
}
