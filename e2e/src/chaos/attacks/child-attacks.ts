import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { once } from 'node:events';
import { isAlive } from '@millrace/runtime/process-life';
import { builtFile } from '../built-file.ts';
import type { Attack, AttackScene, Effect, RunningAttack, ServiceName } from './attack.ts';
import { boundedAttack, numberOf } from './attack.ts';

/** Work of the process of an attack. */
export interface ChildOrder {
  readonly kind: 'freeze' | 'cpu' | 'memory' | 'io' | 'file-size' | 'fill-disk' | 'open-files';
  readonly seconds: number;
  readonly pids: readonly number[];
  /** Burners, megabytes, bytes or files, by the kind. */
  readonly amount: number;
  readonly folder: string;
}

const childPath = builtFile('attacks/attack-child.js');

async function beginChild(order: ChildOrder): Promise<RunningAttack> {
  const child = spawn(process.execPath, [childPath, JSON.stringify(order)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const begun = await lines.next();
  if (begun.value !== 'begun') throw new Error(`The process of the attack ${order.kind} ended before it began.`);
  // The child watches the time itself. This end only collects its proof.
  return boundedAttack(order.seconds + 5, async () => {
    child.stdin.end();
    const last = await lines.next();
    await exited;
    if (last.done === true) return { tookEffect: false, proof: 'the process of the attack gave no proof' };
    return JSON.parse(last.value) as Effect;
  });
}

function childAttack(
  kind: ChildOrder['kind'],
  amountOf: (scene: AttackScene, target: string, given: number) => number,
  fallback?: number,
): Attack {
  return async (scene, { target, seconds, args }) => {
    const given = fallback === undefined ? 0 : numberOf(args, 'amount', fallback);
    const pids = scene.processesOf(target as ServiceName).map(({ pid }) => pid);
    return await beginChild({ kind, seconds, pids, amount: amountOf(scene, target, given), folder: scene.home });
  };
}

const asGiven = (_: AttackScene, __: string, given: number): number => given;

/** The process stops at SIGSTOP and continues after the attack. */
export const freeze = childAttack('freeze', asGiven);
/** The process shares one core with `amount` busy loops (2). */
export const cpu = childAttack('cpu', asGiven, 2);
/** Another process holds `amount` megabytes (512). */
export const memory = childAttack('memory', asGiven, 512);
/** Another process writes to the disk of the group, with fsync after each megabyte. */
export const io = childAttack('io', asGiven);
const limitFiles = childAttack('file-size', asGiven, 1);

/** The disk of the process is full. Without such a disk, no file of the process can grow beyond `amount` bytes (1). */
export const diskFull: Attack = async (scene, plan) => {
  const folder = scene.diskOf(plan.target as ServiceName);
  if (folder === undefined) return await limitFiles(scene, plan);
  return await beginChild({ kind: 'fill-disk', seconds: plan.seconds, pids: [], amount: 0, folder });
};
/** The process can open `amount` more files than it has open (0). */
export const fileDescriptors = childAttack(
  'open-files',
  (scene, target, given) =>
    given + Math.max(...scene.processesOf(target as ServiceName).map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length)),
  0,
);

/** The process dies by SIGKILL. A rollback starts it again. */
export const kill: Attack = async (scene, { target, seconds }) => await endProcesses(scene, target as ServiceName, seconds, 'SIGKILL');
/** The process stops cleanly at SIGTERM. A rollback starts it again. */
export const shutdown: Attack = async (scene, { target, seconds }) => await endProcesses(scene, target as ServiceName, seconds, 'SIGTERM');

async function endProcesses(
  scene: AttackScene,
  target: ServiceName,
  seconds: number,
  signal: 'SIGKILL' | 'SIGTERM',
): Promise<RunningAttack> {
  const processes = scene.processesOf(target);
  const ended = Promise.all(processes.map(async (one) => await one.kill(signal)));
  return await Promise.resolve(
    boundedAttack(seconds, async () => {
      const exits = await ended;
      const gone = processes.filter(({ pid }) => !isAlive(pid));
      const how = exits.map((exit) => (exit.signal === null ? `with code ${exit.code}` : `by ${exit.signal}`));
      return { tookEffect: gone.length === processes.length, proof: `${gone.length} processes ended ${how.join(', ')}` };
    }),
  );
}
