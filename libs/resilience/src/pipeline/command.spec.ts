import { describe, expect, it } from 'vitest';
import { Command } from './command.ts';
import { createPipeline } from './create-pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';

const down = new Error('the dependency is down');

function setUp() {
  const clock = new VirtualClock();
  const pipeline = createPipeline(
    { name: 'rates', retry: { attemptsMax: 2, baseMs: 0 }, cache: { freshMs: 1000 } },
    { clock, random: () => 0 },
  );
  const runs: string[] = [];
  class LookUp extends Command<number> {
    readonly #country: string;
    readonly #answer: () => number;

    constructor(country: string, answer: () => number, idempotent?: boolean) {
      super(pipeline, { idempotent });
      this.#country = country;
      this.#answer = answer;
    }

    protected run(): number {
      runs.push(this.#country);
      return this.#answer();
    }

    protected override cacheKey(): string {
      return this.#country;
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

describe('Command', () => {
  it('a command returns the answer of run and caches it under its key', async () => {
    const { runs, LookUp } = setUp();
    expect(await new LookUp('de', () => 7).execute()).toBe(7);
    expect(await new LookUp('de', () => 8).execute()).toBe(7);
    expect(await new LookUp('fr', () => 8).execute()).toBe(8);
    expect(runs).toEqual(['de', 'fr']);
  });

  it('a command returns its fallback when run fails, and the pipeline counts the fallback', async () => {
    const { pipeline, LookUpOrOne } = setUp();
    expect(await new LookUpOrOne('de', fail).executeOutcome()).toEqual({
      result: 'fell-back',
      fallback: 'stub',
      value: 1,
      error: down,
      attempts: 1,
    });
    expect(pipeline.snapshot().totals).toMatchObject({ fallbacks: { stub: 1 }, results: { 'fell-back': 1 } });
  });

  it('a command without a fallback fails with the error of run', async () => {
    const { pipeline, LookUp } = setUp();
    await expect(new LookUp('de', fail).execute()).rejects.toBe(down);
    expect(pipeline.snapshot().totals.fallbackFailures).toBe(0);
  });

  it('a command is retried only if it is idempotent', async () => {
    const { clock, runs, LookUp } = setUp();
    const outcome = new LookUp('de', fail, true).executeOutcome();
    await clock.advance(0);
    expect(await outcome).toMatchObject({ result: 'failed', attempts: 2 });
    await expect(new LookUp('fr', fail, false).execute()).rejects.toBe(down);
    expect(runs).toEqual(['de', 'de', 'fr']);
  });

  it('a command without options and key works, and its fallback may rethrow an error', async () => {
    const clock = new VirtualClock();
    const pipeline = createPipeline({ name: 'rates', cache: { freshMs: 1000 } }, { clock });
    class Plain extends Command<number> {
      readonly #answer: () => number;

      constructor(answer: () => number) {
        super(pipeline);
        this.#answer = answer;
      }

      protected run(): number {
        return this.#answer();
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

  it('a command whose cacheKey throws fails without a run', async () => {
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

  it('a command cannot be executed twice', async () => {
    const { LookUp } = setUp();
    const command = new LookUp('de', () => 1);
    await command.execute();
    await expect(command.execute()).rejects.toThrow(
      new TypeError('A command of the pipeline "rates" was executed twice; create a new one.'),
    );
  });
});
