import type { AttackPlan } from '../experiment/experiment-schema.ts';
import type { Attack, AttackScene, RunningAttack } from './attack.ts';
import { cpu, diskFull, fileDescriptors, freeze, io, kill, memory, shutdown } from './child-attacks.ts';
import { blackHole, clock, dns, errorStatus, expiredCertificate, latency, refuse, reset, stall } from './network-attacks.ts';

const attacks: Readonly<Record<AttackPlan['attack'], Attack>> = {
  'black-hole': blackHole,
  latency,
  stall,
  refuse,
  reset,
  'error-status': errorStatus,
  dns,
  'expired-certificate': expiredCertificate,
  kill,
  shutdown,
  freeze,
  clock,
  cpu,
  memory,
  io,
  'disk-full': diskFull,
  'file-descriptors': fileDescriptors,
};

/** Begins an attack of an experiment. */
export async function beginAttack(scene: AttackScene, plan: AttackPlan): Promise<RunningAttack> {
  return await attacks[plan.attack](scene, { target: plan.target, seconds: plan.seconds, args: plan.arguments ?? {} });
}
