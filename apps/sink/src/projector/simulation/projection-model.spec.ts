import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelFault } from '../../simulation/verdict/model-fault.ts';
import { brokenProjectors } from './broken-projector.ts';
import { projectionSchedules } from './projection-schedule.ts';
import { runProjection, soundProjector, type ProjectorMakers } from './projection-world.ts';

interface Verdict {
  readonly commits: number;
  readonly lost: number;
  readonly error: unknown;
  readonly counterexample: unknown;
}

async function check(makers: ProjectorMakers, numRuns: number, endOnFailure: boolean): Promise<Verdict> {
  let [commits, lost] = [0, 0];
  const { errorInstance, counterexample } = await fc.check(
    fc.asyncProperty(projectionSchedules, async (schedule) => {
      const tally = await runProjection(schedule, makers);
      commits += tally.commits;
      lost += tally.lost;
    }),
    { numRuns, seed: 17, endOnFailure },
  );
  return { error: errorInstance, counterexample, commits, lost };
}

// Schedules have two projectors, crashes, delayed and doubled writes, unanswered reads and a foreign writer.
describe('the model of the projection', () => {
  it('holds in 300 schedules, in which projectors meet', async () => {
    const { commits, lost, ...verdict } = await check(soundProjector, 300, false);
    expect(verdict).toEqual({ error: null, counterexample: null });
    expect(commits).toBeGreaterThan(500);
    expect(lost).toBeGreaterThan(30);
  }, 120_000);

  it.each(Object.entries(brokenProjectors))(
    'a schedule fails without the rule "%s"',
    async (_rule, makers) => {
      expect((await check(makers, 1300, true)).error).toBeInstanceOf(ModelFault);
    },
    60_000,
  );
});
