import { groupServices, type AttackPlan } from '../experiment/experiment-schema.ts';
import type { Attack, AttackScene, RunningAttack } from './attack.ts';
import { mustBeInChaosProfile } from './chaos-profile.ts';
import { cpu, diskFull, fileDescriptors, freeze, io, kill, memory, shutdown } from './child-attacks.ts';
import { blackHole, clock, dns, errorStatus, expiredCertificate, latency, refuse, reset, stall } from './network-attacks.ts';
import { powerCut } from './power-attack.ts';

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
  'power-cut': powerCut,
  clock,
  cpu,
  memory,
  io,
  'disk-full': diskFull,
  'file-descriptors': fileDescriptors,
};

/** Begins an attack. @throws ExperimentError `refused` when a process of the scene is outside the chaos profile */
export async function beginAttack(scene: AttackScene, plan: AttackPlan): Promise<RunningAttack> {
  // An attack on a dependency reaches every service.
  mustBeInChaosProfile(groupServices.flatMap((service) => scene.processesOf(service).map(({ pid }) => pid)));
  return await attacks[plan.attack](scene, { target: plan.target, seconds: plan.seconds, args: plan.arguments ?? {} });
}
