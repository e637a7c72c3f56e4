import { describe, expect, it } from 'vitest';
import { Command } from './command.ts';
import { createPipeline } from './create-pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const down = new Error('the dependency is down');

function setUp() {
  const clock = new VirtualClock();
  const pipeline = createPipeline({ name: 'rates', retry: { attemptsMax: 2, baseMs: 0 }, cache: { freshMs: 1000 } }, { clock, random: () => 0 });
  const runs: string[] = [];
  class LookUp extends Command<number> {
    constructor(
      private readonly country: string,
      private readonly answer: () => number,
      idempotent?: boolean,
    ) {
      super(pipeline, { idempotent });
    }

    protected run(): number {
      runs.push(this.country);
      return this.answer();
    }

    protected override cacheKey(): string {
      return this.country;
    }
  }
  class LookUpOrOne extends LookUp {
    protected override getFallback(): number {
      return 1;
    }
  }
  return { clock, pipeline, runs, LookUp, LookUpOrOne };
}

const fail = (): never => {
  throw down;
};

describe('a command', () => {
  it('answers what its run answers, and keeps it by its cache key', async () => {
    const { runs, LookUp } = setUp();
    expect(await new LookUp('de', () => 7).execute()).toBe(7);
    expect(await new LookUp('de', () => 8).execute()).toBe(7);
    expect(await new LookUp('fr', () => 8).execute()).toBe(8);
    expect(runs).toEqual(['de', 'fr']);
  });

  it('answers its fallback when its run fails, which the pipeline counts', async () => {
    const { pipeline, LookUpOrOne } = setUp();
    expect(await new LookUpOrOne('de', fail).executeOutcome()).toEqual({ result: 'fell-back', fallback: 'stub', value: 1, error: down, attempts: 1 });
    expect(pipeline.snapshot().totals).toMatchObject({ fallbacks: { stub: 1 }, results: { 'fell-back': 1 } });
  });

  it('fails as its run does when it has no fallback', async () => {
    const { pipeline, LookUp } = setUp();
    await expect(new LookUp('de', fail).execute()).rejects.toBe(down);
    expect(pipeline.snapshot().totals.fallbackFailures).toBe(0);
  });

  it('is tried again only when it is idempotent', async () => {
    const { clock, runs, LookUp } = setUp();
    const outcome = new LookUp('de', fail, true).executeOutcome();
    await clock.advance(0);
    expect(await outcome).toMatchObject({ result: 'failed', attempts: 2 });
    await expect(new LookUp('fr', fail, false).execute()).rejects.toBe(down);
    expect(runs).toEqual(['de', 'de', 'fr']);
  });

  it('may leave its fallback out for some failures, and has neither options nor a key unless it wants them', async () => {
    const clock = new VirtualClock();
    const pipeline = createPipeline({ name: 'rates', cache: { freshMs: 1000 } }, { clock });
    class Plain extends Command<number> {
      constructor(private readonly answer: () => number) {
        super(pipeline);
      }

      protected run(): number {
        return this.answer();
      }

      protected override getFallback(error: unknown): number | PromiseLike<number> {
        return super.getFallback(error);
      }
    }
    expect(await new Plain(() => 1).execute()).toBe(1);
    expect(await new Plain(() => 2).execute()).toBe(2);
    await expect(new Plain(fail).execute()).rejects.toBe(down);
    expect(pipeline.snapshot().totals.fallbackFailures).toBe(1);
  });

  it('fails when its cache key cannot be told, and is not run', async () => {
    const { runs, LookUpOrOne } = setUp();
    class Keyless extends LookUpOrOne {
      protected override cacheKey(): string {
        throw down;
      }
    }
    expect(await new Keyless('de', () => 7).executeOutcome()).toEqual({ result: 'failed', error: down, attempts: 0 });
    await expect(new Keyless('de', () => 7).execute()).rejects.toBe(down);
    expect(runs).toEqual([]);
  });

  it('is executed once', async () => {
    const { LookUp } = setUp();
    const command = new LookUp('de', () => 1);
    await command.execute();
    await expect(command.execute()).rejects.toThrow(new TypeError('A command of the pipeline "rates" was executed twice; create a new one.'));
  });
});
