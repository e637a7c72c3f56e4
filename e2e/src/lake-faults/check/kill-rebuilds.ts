import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FaultProxy } from '@millrace/testing';
import { hitInTime } from '../../proof/struck.ts';
import { stack } from '../../stack.ts';
import { callOf } from '../inflict-lake-fault.ts';
import type { LakeStep } from '../lake-fault-plan.ts';

/** A `lake rebuild` that was killed at one call. */
export interface KilledRebuild {
  readonly step: LakeStep;
  /** Whether the call had been applied. */
  readonly applied: boolean;
  /** Whether the call was in flight when the process was killed. */
  readonly struck: boolean;
  /** Whether the table was exact afterwards. */
  readonly exact: boolean;
}

const moments = [
  { step: 'manifest', applied: false },
  { step: 'metadata', applied: true },
  { step: 'commit', applied: false },
  { step: 'commit', applied: true },
  { step: 'glue', applied: false },
  { step: 'hint', applied: false },
] as const;

const attemptsMax = 8;

const command = join(import.meta.dirname, '..', '..', '..', '..', 'tools', 'stack', 'dist', 'main.js');

/**
 * Kills `./millrace lake rebuild` at one call after the other, while projectors and readers work.
 *
 * @param isExact reads the table
 */
export async function killRebuilds(table: string, isExact: () => Promise<boolean>): Promise<KilledRebuild[]> {
  const killed: KilledRebuild[] = [];
  for (const moment of moments) {
    let struck = false;
    // A projector may commit or move the pointer first. Then the rebuild does not come to the call.
    for (let attempts = 0; !struck && attempts < attemptsMax; attempts += 1) struck = await killAt(table, moment);
    killed.push({ ...moment, struck, exact: await isExact() });
  }
  return killed;
}

/** Starts a rebuild, and kills it at a call. Returns whether the call was in flight. */
async function killAt(table: string, { step, applied }: Pick<KilledRebuild, 'step' | 'applied'>): Promise<boolean> {
  const [s3, glue] = await Promise.all([
    FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
    FaultProxy.start({ protocol: 'http', target: stack.awsUrl }),
  ]);
  const fault = await (step === 'glue' ? glue : s3).inject(
    // A process that is gone loses a call that was held, and the answer of one that was applied.
    applied ? { kind: 'swallow-answer' } : { kind: 'black-hole' },
    { times: 1, when: callOf(step, { bucket: stack.bucket, table }) },
  );
  const child = spawn(process.execPath, [command, 'lake', 'rebuild', '--table', table], {
    env: { ...process.env, AWS_ENDPOINT_URL_S3: s3.url, AWS_ENDPOINT_URL_GLUE: glue.url },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    return await Promise.race([hitInTime(fault), ended.then(() => false)]);
  } finally {
    child.kill('SIGKILL');
    await ended;
    await Promise.all([s3.close(), glue.close()]);
  }
}
