import type { Experiment } from '../experiment/experiment-schema.ts';
import { Group, type GroupName } from './group.ts';
import { Keeper } from './keeper.ts';

/** Both groups of an experiment. */
export type Groups = Readonly<Record<GroupName, Group>>;

/** Attacks that need something in the services or before them, which other experiments do without. */
const prepared: ReadonlySet<string> = new Set(['dns', 'clock', 'expired-certificate', 'disk-full', 'power-cut']);

/** Keeps the groups of one experiment for the next one that needs the same. */
export class Stage {
  readonly #keeper = new Keeper();
  #kept: { readonly key: string; readonly groups: Groups } | undefined;

  /** The groups of an experiment: those of the last one, or new ones. @throws the error of a group that does not start */
  async groupsFor(experiment: Experiment): Promise<Groups> {
    const key = keyOf(experiment);
    if (this.#kept?.key === key && Object.values(this.#kept.groups).every(({ isRunning }) => isRunning)) return this.#kept.groups;
    await this.clear();
    const names = ['control', 'experiment'] as const;
    const started = await Promise.allSettled(names.map(async (name) => await Group.start(name, experiment, this.#keeper)));
    const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = started.find((one) => one.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all(running.map(async (group) => await group.close()));
      throw failed.reason;
    }
    const groups = { control: running[0]!, experiment: running[1]! };
    this.#kept = { key, groups };
    return groups;
  }

  /** Stops the groups. The next experiment gets new ones. */
  async clear(): Promise<void> {
    const groups = Object.values(this.#kept?.groups ?? {});
    this.#kept = undefined;
    await Promise.all(groups.map(async (group) => await group.close()));
  }

  async close(): Promise<void> {
    await this.clear();
    await this.#keeper.close();
  }
}

function keyOf({ services, settings = {}, method }: Experiment): string {
  const needs = method.flatMap(({ attack, target }) => (prepared.has(attack) ? [`${attack} ${target}`] : []));
  const given = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [services, given, needs].map((part) => part.toSorted().join(' ')).join(' | ');
}
