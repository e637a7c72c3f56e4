import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelFault } from '../../simulation/verdict/model-fault.ts';
import { brokenProjectors } from './broken-projector.ts';
import { projectionSchedules } from './parts/projection-schedule.ts';
import { runProjection, soundProjector, type ProjectorMakers } from './world/projection-world.ts';

interface Verdict {
  readonly commits: number;
  readonly lost: number;
  readonly merges: number;
  readonly abandoned: number;
  readonly deleted: number;
  readonly rebuilds: number;
  readonly error: unknown;
  readonly counterexample: unknown;
}

async function check(makers: ProjectorMakers, numRuns: number, endOnFailure: boolean): Promise<Verdict> {
  const sums = { commits: 0, lost: 0, merges: 0, abandoned: 0, deleted: 0, rebuilds: 0 };
  const { errorInstance, counterexample } = await fc.check(
    fc.asyncProperty(projectionSchedules, async (schedule) => {
      const tally = await runProjection(schedule, makers);
      for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += tally[key];
    }),
    { numRuns, seed: 17, endOnFailure },
  );
  return { error: errorInstance, counterexample, ...sums };
}

// Schedules have two projectors, crashes, delayed and doubled writes, unanswered reads, a foreign writer, merges, sweeps, rebuilds and
// time that passes.
describe('the model of the projection', () => {
  it('the model of the projection holds in 100 schedules, in which projectors meet', async () => {
    const { commits, lost, merges, abandoned, deleted, rebuilds, ...verdict } = await check(soundProjector, 100, false);
    expect(verdict).toEqual({ error: null, counterexample: null });
    expect(commits).toBeGreaterThan(400);
    expect(lost).toBeGreaterThan(20);
    expect(merges).toBeGreaterThan(150);
    expect(abandoned).toBeGreaterThan(5);
    expect(deleted).toBeGreaterThan(1000);
    expect(rebuilds).toBeGreaterThan(20);
    console.log({ commits, lost, merges, abandoned, deleted, rebuilds });
  }, 240_000);

  it.each(Object.entries(brokenProjectors))(
    'a schedule fails without the rule "%s"',
    async (_rule, makers) => {
      expect((await check(makers, 1300, true)).error).toBeInstanceOf(ModelFault);
    },
    120_000,
  );
});
