import type { Parameters } from 'fast-check';

/**
 * Parameters of a model test: the number of schedules and a fixed seed. Mutation testing runs a tenth of the schedules and does not
 * shrink a failing one, because it runs two thousand mutants.
 */
export function modelRuns(runs: number): Pick<Parameters, 'seed' | 'numRuns' | 'endOnFailure'> {
  const isMutationRun = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;
  return { seed: 20_261_125, numRuns: isMutationRun ? Math.ceil(runs / 10) : runs, endOnFailure: isMutationRun };
}
