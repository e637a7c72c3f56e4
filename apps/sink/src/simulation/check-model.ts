import fc from 'fast-check';
import { brokenRules } from './broken-rules.ts';
import { soundMakers, type Makers } from './world/makers.ts';
import { ModelFault } from './verdict/model-fault.ts';
import { runSchedule } from './run-schedule.ts';
import { schedules, type Schedule } from './schedule.ts';

/** Result of a check of the model. */
export interface ModelReport {
  /** Number of schedules without a violation. */
  readonly schedules: number;
  readonly seed: number;
  /** The smallest schedule with a violation, and the reason. */
  readonly failure?: { readonly seed: number; readonly schedule: Schedule; readonly reason: string };
  /**
   * For each rule, the number of schedules until its omission was detected. Undefined if no schedule failed, or one failed with another
   * error than a {@link ModelFault}.
   */
  readonly foundOut: Readonly<Record<string, number | undefined>>;
}

const schedulesPerSeed = 1000;

/**
 * Runs the sink's own lanes through seeded schedules. Then omits one rule of the ledger after another, to prove that the check can fail.
 *
 * @param tell receives lines that report the progress
 */
export async function checkModel(count: number, seed: number, tell: (line: string) => void): Promise<ModelReport> {
  let done = 0;
  while (done < count) {
    const now = Math.min(schedulesPerSeed, count - done);
    const result = await check(soundMakers, now, seed + done);
    if (result.counterexample !== null) {
      const [schedule] = result.counterexample;
      return { schedules: done, seed, failure: { seed: seed + done, schedule, reason: reasonOf(result.errorInstance) }, foundOut: {} };
    }
    done += now;
    tell(`${done} of ${count} schedules hold`);
  }
  const foundOut: Record<string, number | undefined> = {};
  for (const [rule, makers] of Object.entries(brokenRules)) {
    const { failed, numRuns, errorInstance } = await check(makers, 20_000, seed, true);
    foundOut[rule] = errorInstance instanceof ModelFault ? numRuns : undefined;
    tell(failed ? `without "${rule}" schedule ${numRuns} fails: ${reasonOf(errorInstance)}` : `without "${rule}" nothing fails`);
  }
  return { schedules: done, seed, foundOut };
}

/** Runs schedules, and shrinks the first one that fails. */
async function check(makers: Makers, numRuns: number, seed: number, endOnFailure = false): Promise<fc.RunDetails<[Schedule]>> {
  return await fc.check(
    fc.asyncProperty(schedules, async (schedule) => await runSchedule(schedule, makers)),
    { numRuns, seed, endOnFailure },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
