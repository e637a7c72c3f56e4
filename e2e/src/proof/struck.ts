import { setTimeout as pause } from 'node:timers/promises';
import type { ActiveFault } from '@millrace/testing';

/** Outcome of a fault. */
export interface Struck {
  /** Whether something was in flight when it struck; only then it counts. */
  readonly hit: boolean;
  readonly inFlight: string;
}

/** Outcome of a fault that met nothing. */
export const idle: Struck = { hit: false, inFlight: 'nothing' };

/** Longest wait for the call that a fault is to strike, in milliseconds. */
export const waitMsMax = 8000;

/** Returns whether a fault meets a call in time. */
export async function hitInTime(fault: ActiveFault): Promise<boolean> {
  return await Promise.race([fault.hit().then(() => true), pause(waitMsMax, false, { ref: false })]);
}
