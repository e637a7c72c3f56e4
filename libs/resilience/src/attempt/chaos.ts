import { sleep } from '../time/clock.ts';
import { ChaosFaultError } from '../errors/errors.ts';
import type { AttemptContext, Work } from '../pipeline/pipeline.ts';
import type { PipelineSite } from '../pipeline/pipeline-site.ts';
import type { ChaosRule } from '../settings/pipeline-spec.ts';

/** Injects trouble in place of the work or before it. */
export class Chaos {
  private readonly hanging = new Set<(error: unknown) => void>();

  constructor(private readonly site: Pick<PipelineSite, 'name' | 'clock' | 'random' | 'events' | 'counters'>) {}

  /** Does the work as the first matching rule wants it. */
  run<T>(rules: readonly ChaosRule[], work: Work<T>, context: AttemptContext, key: string | undefined): unknown {
    const rule = rules.find((candidate) => this.matches(candidate, key));
    if (rule === undefined) return work(context);
    this.site.counters.chaosInjections += 1;
    this.site.events.emit({ type: 'ChaosInjected', kind: rule.kind });
    switch (rule.kind) {
      case 'latency':
        return this.late(rule.ms, work, context);
      case 'fault':
        throw rule.error === undefined ? new ChaosFaultError(this.site.name) : rule.error();
      case 'outcome':
        return rule.value;
      case 'hang':
        return new Promise((_, reject) => this.hanging.add(reject));
    }
  }

  /** The experiment is over: what hangs fails. */
  release(): void {
    for (const reject of this.hanging) reject(new ChaosFaultError(this.site.name));
    this.hanging.clear();
  }

  private matches({ rate, keys }: ChaosRule, key: string | undefined): boolean {
    if (keys !== undefined && (key === undefined || !keys.includes(key))) return false;
    return rate === undefined || this.site.random() < rate;
  }

  private async late<T>(ms: number, work: Work<T>, context: AttemptContext): Promise<T> {
    await sleep(ms, { clock: this.site.clock, signal: context.signal });
    return await work(context);
  }
}
