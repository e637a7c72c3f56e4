import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { steadyPhase } from '../load/generator/load-phase.ts';
import type { PhaseResult } from '../load/generator/open-load.ts';
import { judge } from '../load/measure/threshold.ts';
import { stack } from '../stack.ts';
import type { PartName, RunningAttack, ServiceName } from './attacks/attack.ts';
import { beginAttack } from './attacks/attacks.ts';
import type { Experiment, Probe } from './experiment/experiment-schema.ts';
import { ExperimentError } from './errors.ts';
import { Journal, type JournalRecord } from './journal.ts';
import { GroupWatch, type MetricProbe } from './stage/group-watch.ts';
import type { GroupLoad, GroupName } from './stage/group.ts';
import type { Stage } from './stage/stage.ts';
import { judgeDifference, judgeProbe, limitsOf, type Verdict } from './verdict/verdict.ts';

/** Surroundings of an experiment. */
export interface RunOptions {
  /** Path of the experiment's file. */
  readonly file: string;
  readonly stage: Stage;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

const landMsMax = 90_000;
const warmUpSeconds = 3;

/**
 * Runs an experiment on the parts of its environment. Two groups of instances take the same load. Only the experimental group is attacked.
 * Rollbacks run in any case.
 *
 * @returns the record, which is also in a file below `MILLRACE_HOME`
 */
export async function runExperiment(experiment: Experiment, { file, stage, signal, tell }: RunOptions): Promise<JournalRecord> {
  const { title, expected } = experiment;
  const at = new Date().toISOString();
  const name = basename(file).replace(/\.ya?ml$/, '');
  const path = join(stack.home, 'reports', 'chaos', `${name}-${at.replaceAll(':', '-')}.json`);
  const conditions = { cores: availableParallelism(), node: process.versions.node };
  const journal = new Journal(path, { title, file: basename(file), at, conditions, expected }, tell);
  tell(title);
  const end = (verdict: Verdict, reason: string): JournalRecord => {
    Object.assign(journal.record, { verdict, reason });
    journal.step(`${verdict}: ${reason}`);
    return journal.record;
  };
  try {
    const run = new ExperimentRun(experiment, journal, stage, signal);
    const missed = await run.run();
    return missed.length === 0 ? end('held', 'every probe is within its limits') : end('deviated', missed.join('; '));
  } catch (error) {
    // A group with a failure is not used for another experiment.
    await stage.clear();
    return end('aborted', ((signal.aborted ? signal.reason : error) as Error).message);
  }
}

class ExperimentRun {
  readonly #experiment: Experiment;
  readonly #journal: Journal;
  readonly #stage: Stage;
  readonly #stopping: AbortController = new AbortController();
  readonly #signal: AbortSignal;
  #loads: Readonly<Record<GroupName, GroupLoad>> | undefined;
  #rolledBack: Promise<void> | undefined;

  constructor(experiment: Experiment, journal: Journal, stage: Stage, signal: AbortSignal) {
    this.#experiment = experiment;
    this.#journal = journal;
    this.#stage = stage;
    this.#signal = AbortSignal.any([signal, this.#stopping.signal]);
  }

  /** @returns the probes that were missed. @throws ExperimentError when the experiment has no verdict */
  async run(): Promise<string[]> {
    const { services, phases, hypothesis } = this.#experiment;
    this.#journal.step(`prepare two groups of ${services.join(', ')}`);
    const groups = await this.#stage.groupsFor(this.#experiment).catch((error: unknown) => {
      throw new ExperimentError('aborted', `A group did not start: ${String(error)}`);
    });
    const metricProbes = hypothesis.probes.filter(isMetricProbe);
    const nowMs = (): number => this.#journal.nowMs();
    const watches = [new GroupWatch(groups.control, [], nowMs), new GroupWatch(groups.experiment, metricProbes, nowMs)] as const;
    const loads = { control: await groups.control.prepareLoad(), experiment: await groups.experiment.prepareLoad() };
    this.#loads = loads;
    try {
      for (const { group, events } of Object.values(loads)) this.#journal.record.firstEventId[group.name] = events.numbers.id(0);
      // The first requests of a process are slow.
      await this.#phase('warm-up', warmUpSeconds);
      await this.#phase('before', phases.before);
      this.#mustHold('before', ['control', 'experiment']);
      await watches[1].beginPhase();
      await this.#attack();
      // On a busy machine, no reading may have ended during the attack.
      await watches[1].read();
      this.#mustHold('during', ['control']);
      this.#judgeHypothesis(watches[1]);
      if (phases.settle > 0) await this.#phase('settle', phases.settle);
      await this.#phase('after', phases.after);
      this.#judgeSteady('after', ['control', 'experiment']);
      await this.#countDelivery();
      return this.#journal.record.judged.flatMap(({ name, met, value }) => (met ? [] : [`${name} is ${value ?? 'without samples'}`]));
    } finally {
      for (const watch of watches) {
        watch.stop();
        this.#journal.record.circuits.push(...watch.changes);
        this.#journal.record.shed[watch.group.name] = watch.shed;
      }
      for (const { lake, sender } of Object.values(loads)) {
        lake.close();
        await sender.close();
      }
    }
  }

  /** Runs the attacks and the load beside them. Rollbacks run in any case. */
  async #attack(): Promise<void> {
    const { method, phases } = this.#experiment;
    const { group } = this.#loads!.experiment;
    const begun: { readonly name: string; readonly target: string; readonly attack: RunningAttack }[] = [];
    try {
      for (const plan of method) {
        this.#journal.step(`begin ${plan.attack} on ${plan.target} for ${plan.seconds} s`);
        begun.push({ name: plan.attack, target: plan.target, attack: await beginAttack(group, plan) });
      }
      // The load begins at once, and an attack ends by itself after its own time.
      const load = this.#phase('during', phases.during);
      const ends = Math.max(...method.map(({ seconds }) => seconds)) * 1000;
      await Promise.race([pause(ends, undefined, { signal: this.#signal }), load.then(async () => await pause(ends))]);
      await this.#endAttacks(begun);
      await this.#rollBack();
      await load;
    } finally {
      await this.#endAttacks(begun);
      await this.#rollBack();
    }
    const idle = this.#journal.record.attacks.filter(({ tookEffect }) => !tookEffect);
    if (idle.length > 0)
      throw new ExperimentError('aborted', idle.map(({ attack, proof }) => `the attack ${attack} took no effect: ${proof}`).join('; '));
  }

  async #endAttacks(begun: { readonly name: string; readonly target: string; readonly attack: RunningAttack }[]): Promise<void> {
    for (const { name, target, attack } of begun.splice(0)) {
      const effect = await attack.end();
      this.#journal.record.attacks.push({ attack: name, target, ...effect });
      this.#journal.step(`end ${name} on ${target}: ${effect.proof}`);
    }
  }

  async #rollBack(): Promise<void> {
    const run = async (): Promise<void> => {
      for (const { action, target } of this.#experiment.rollbacks) {
        this.#journal.step(`roll back: ${action} ${target}`);
        const { group } = this.#loads!.experiment;
        if (action === 'start') await group.start(target as ServiceName);
        else await group.proxies[target as PartName].clear();
      }
    };
    await (this.#rolledBack ??= run());
  }

  /** Sends the same load to both groups. */
  async #phase(name: string, seconds: number): Promise<void> {
    const loads = Object.values(this.#loads!);
    this.#journal.step(`load "${name}" for ${seconds} s`);
    const phase = steadyPhase(name, seconds, this.#experiment.load);
    const watching = setInterval(() => this.#watchAborts(), 1000);
    try {
      const results = await Promise.all(loads.map(async ({ group, load }) => [group.name, await load.run(phase, this.#signal)] as const));
      for (const [group, result] of results) (this.#journal.record.phases[group] ??= []).push(result);
    } finally {
      clearInterval(watching);
    }
    this.#signal.throwIfAborted();
  }

  #watchAborts(): void {
    for (const { group, stream, measure, 'at-most': atMost } of this.#experiment['abort-conditions']) {
      const totals = this.#loads![group].load.state?.totals[stream];
      if (totals === undefined) continue;
      const all = totals.sent + totals.dropped;
      const count = measure === 'failed-share' ? totals.failed : totals.dropped;
      // A share of a few requests is meaningless.
      if (all < 20 || count / all <= atMost) continue;
      this.#stopping.abort(
        new ExperimentError('aborted', `${measure} of ${stream} in the group ${group} is ${(count / all).toFixed(3)}, above ${atMost}`),
      );
    }
  }

  #mustHold(phase: string, groups: readonly GroupName[]): void {
    const missed = this.#judgeSteady(phase, groups).filter(({ met }) => !met);
    if (missed.length === 0) return;
    throw new ExperimentError(
      'aborted',
      `no steady state: ${missed.map(({ name, value }) => `${name} is ${value ?? 'without samples'}`).join('; ')}`,
    );
  }

  #judgeSteady(phase: string, groups: readonly GroupName[]): JournalRecord['judged'] {
    const judged = groups.flatMap((group) =>
      this.#experiment['steady-state'].map((probe) => judgeProbe(`${phase}, ${group}`, probe, this.#resultOf(group, phase))),
    );
    this.#journal.record.judged.push(...judged);
    return judged;
  }

  #judgeHypothesis(watch: GroupWatch): void {
    const { probes, 'no-worse': noWorse } = this.#experiment.hypothesis;
    const [control, experiment] = [this.#resultOf('control', 'during')!, this.#resultOf('experiment', 'during')!];
    this.#journal.record.judged.push(
      ...probes.map((probe) =>
        isMetricProbe(probe)
          ? judge(`during: ${probe.service} ${probe.metric}`, watch.largest(probe), limitsOf(probe))
          : judgeProbe('during, experiment', probe, experiment),
      ),
      ...noWorse.map((one) => judgeDifference(one, control, experiment)),
    );
  }

  async #countDelivery(): Promise<void> {
    if (!this.#experiment.services.includes('sink')) return;
    this.#journal.step('count every acknowledged event in the tables');
    for (const { group, lake, events } of Object.values(this.#loads!)) {
      const { name } = group;
      const counts = await lake.count(events, landMsMax, this.#signal);
      this.#journal.record.delivery[name] = counts;
      this.#journal.record.judged.push(
        // Without an acknowledged event, no loss can be detected.
        judge(`delivery, ${name}: events lost or doubled`, counts.acknowledged === 0 ? undefined : counts.lost + counts.duplicated, {
          atMost: 0,
        }),
      );
    }
  }

  #resultOf(group: GroupName, phase: string): PhaseResult | undefined {
    return this.#journal.record.phases[group]?.find((one) => one.phase.name === phase);
  }
}

function isMetricProbe(probe: Probe): probe is MetricProbe {
  return 'metric' in probe;
}
