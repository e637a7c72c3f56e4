import { readFileSync } from 'node:fs';
import { isAlive } from '@millrace/runtime/process-life';
import { ExperimentError } from '../errors.ts';

/** Environment of a process that attacks may reach. */
export const chaosProfile = { CHAOS_PROFILE: 'on' } as const;

/** Whether a process was started in the chaos profile. */
export function isInChaosProfile(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`CHAOS_PROFILE=${chaosProfile.CHAOS_PROFILE}`);
  } catch {
    return false;
  }
}

/**
 * Refuses an attack that would reach a process outside the chaos profile.
 *
 * @throws ExperimentError `refused`
 */
export function mustBeInChaosProfile(pids: readonly number[]): void {
  const outside = pids.find((pid) => isAlive(pid) && !isInChaosProfile(pid));
  if (outside === undefined) return;
  throw new ExperimentError(
    'refused',
    `The process ${outside} does not run in the chaos profile: start the services with ./millrace chaos serve, or run an experiment.`,
  );
}
