import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { processTree } from '@millrace/runtime/process-life';
import { lake, kafka, stack } from '../../stack.ts';
import { builtFile } from '../built-file.ts';
import type { AttackPlan, Experiment } from '../experiment/experiment-schema.ts';
import { readExperiment } from '../experiment/read-experiment.ts';

/** The state after the runner of an experiment was stopped during an attack. */
export interface Stopped {
  readonly attack: AttackPlan['attack'];
  readonly signal: 'SIGINT' | 'SIGKILL';
  /** Time until nothing was left, in milliseconds. */
  readonly backMs: number;
  /** Processes, directories and dead parts that are left after a minute. */
  readonly left: readonly string[];
}

const backMsMax = 60_000;
const catalogue = join(import.meta.dirname, '..', '..', '..', '..', 'chaos');

/** Runs a short experiment for each attack and signal, and stops its runner while the attack runs. */
export async function stopDuringAttacks(attacks: readonly AttackPlan['attack'][], tell: (line: string) => void): Promise<Stopped[]> {
  const stops: Stopped[] = [];
  for (const attack of attacks) {
    const file = await shortExperiment(attack);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      tell(`stop by ${signal} during ${attack}`);
      stops.push({ attack, signal, ...(await stopDuring(file, signal)) });
    }
  }
  return stops;
}

async function stopDuring(file: string, signal: Stopped['signal']): Promise<Pick<Stopped, 'backMs' | 'left'>> {
  const foldersBefore = new Set(chaosFolders());
  const runner = spawn(process.execPath, [builtFile('main.js'), 'run', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(runner, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: runner.stderr })) {
    lines.push(line);
    if (/ s {2}load "during"/.test(line)) break;
  }
  if (runner.exitCode !== null) throw new Error(`The experiment ${file} ended before its attack:\n${lines.join('\n')}`);
  // In the middle of the attack.
  await pause(1500);
  const started = processTree([runner.pid!]);
  runner.kill(signal);
  const stoppedMs = performance.now();
  await exited;
  const left = async (): Promise<string[]> => [
    ...processTree(started).map(({ pid }) => `process ${pid}`),
    ...chaosFolders().filter((folder) => !foldersBefore.has(folder)),
    ...(await deadParts()),
  ];
  for (;;) {
    const now = await left();
    const backMs = performance.now() - stoppedMs;
    if (now.length === 0 || backMs > backMsMax) return { backMs, left: now };
    await pause(200);
  }
}

/** The first experiment of the catalogue with the attack, with a short load around it. */
async function shortExperiment(attack: AttackPlan['attack']): Promise<string> {
  for (const name of readdirSync(catalogue).filter((one) => one.endsWith('.yaml'))) {
    const experiment = await readExperiment(join(catalogue, name));
    if (!experiment.method.some((plan) => plan.attack === attack)) continue;
    const short: Experiment = {
      ...experiment,
      load: { purchase: 10 },
      phases: { ...experiment.phases, before: 1 },
      'steady-state': [{ stream: 'purchase', measure: 'arrival-share', 'at-least': 0.5 }],
      hypothesis: { ...experiment.hypothesis, 'no-worse': [] },
    };
    const folder = join(stack.home, 'chaos-stops');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${attack}.yaml`);
    // JSON is YAML.
    writeFileSync(path, JSON.stringify(short));
    return path;
  }
  throw new Error(`No experiment uses the attack ${attack}.`);
}

function chaosFolders(): string[] {
  const folder = join(stack.home, 'chaos');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** The parts that the attack was near, unless they answer. */
async function deadParts(): Promise<string[]> {
  const admin = kafka.admin();
  const checks: Readonly<Record<string, () => Promise<unknown>>> = {
    kafka: async () => {
      await admin.connect();
      await admin.listTopics();
    },
    s3: async () => await lake.objects(''),
  };
  const dead = await Promise.all(
    Object.entries(checks).map(async ([name, check]) =>
      (await check().then(
        () => true,
        () => false,
      ))
        ? []
        : [`${name} does not answer`],
    ),
  );
  await admin.disconnect().catch(() => undefined);
  return dead.flat();
}
