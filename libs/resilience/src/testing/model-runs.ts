import type { Parameters } from 'fast-check';

/**
 * How a model test runs: so many schedules, the same in each run of the tests. Where mutants are judged there are fewer, and the first that fails is not made smaller: what is
 * wrong shows early, and two thousand mutants are asked.
 */
export function modelRuns(runs: number): Pick<Parameters, 'seed' | 'numRuns' | 'endOnFailure'> {
  const judgesMutant = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;
  return { seed: 20_261_125, numRuns: judgesMutant ? Math.ceil(runs / 10) : runs, endOnFailure: judgesMutant };
}
