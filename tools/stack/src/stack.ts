import { StackError } from './errors.ts';
import { isTaken, problemOf } from './health.ts';
import { planPart, planService, type Planned } from './plans.ts';
import { pause, ProcessTable, type StackProcess } from './process-table.ts';
import { partNames, serviceNames, type Env, type PartName, type ServiceName, type Settings } from './settings.ts';

/** What runs, as `status --json` prints it. */
export interface ProcessView {
  readonly name: string;
  readonly kind: 'part' | 'service';
  readonly pid: number;
  readonly url: string;
  readonly healthy: boolean;
  /** Why it is not healthy. */
  readonly problem?: string;
}

/** The parts and services of one MILLRACE_HOME. */
export class Stack {
  readonly settings: Settings;
  readonly #env: Env;
  readonly #table: ProcessTable;

  constructor(settings: Settings, env: Env) {
    this.settings = settings;
    this.#env = env;
    this.#table = new ProcessTable(settings.home);
  }

  /** Starts a part where it does not run, and waits until it answers. */
  async startPart(name: PartName): Promise<string> {
    if (this.settings.external.has(name)) return 'already there, as the environment says';
    if (this.#runs(name)) return await this.#awaitHealth(this.#table.get(name)!, 'already running');
    return await this.#start(await planPart(name, this.settings, this.#env));
  }

  /** Starts a service where it does not run, and waits until it is ready. */
  async startService(name: ServiceName, alias: string = name): Promise<string> {
    if (this.#runs(alias)) return await this.#awaitHealth(this.#table.get(alias)!, 'already running');
    return await this.#start(planService(name, this.settings, this.#env, alias));
  }

  /** Starts one part or service by its name. */
  async start(name: string, alias: string): Promise<string> {
    const part = partNames.find((one) => one === name);
    if (part !== undefined) return await this.startPart(part);
    const service = serviceNames.find((one) => one === name);
    if (service !== undefined) return await this.startService(service, alias);
    throw new StackError(`There is no "${name}"; the parts are ${partNames.join(', ')}, the services ${serviceNames.join(', ')}.`);
  }

  /** Stops one by its name or alias. */
  async stop(name: string): Promise<string> {
    const one = this.#table.get(name);
    if (one === undefined) throw new StackError(`"${name}" was not started here; ./millrace status shows what was.`);
    return words[await this.#table.stop(one)];
  }

  /** Stops everything that was started: services first, so that what they took still lands. */
  async stopAll(onStopped: (name: string, how: string) => void): Promise<void> {
    const all = this.#table.all();
    const services = all.filter(({ kind }) => kind === 'service');
    await Promise.all(services.map(async (one) => onStopped(one.name, words[await this.#table.stop(one)])));
    for (const one of all.filter(({ kind }) => kind === 'part').toReversed()) onStopped(one.name, words[await this.#table.stop(one)]);
  }

  /** Everything that was started, and how it is. */
  async status(): Promise<ProcessView[]> {
    return await Promise.all(
      this.#table.all().map(async ({ name, kind, pid, startedAt, url, health }) => {
        const problem = this.#table.isAlive({ name, kind, pid, startedAt, url, health }) ? await problemOf(health) : 'it has died';
        return { name, kind, pid, url, healthy: problem === undefined, ...(problem === undefined ? {} : { problem }) };
      }),
    );
  }

  #runs(name: string): boolean {
    const one = this.#table.get(name);
    return one !== undefined && this.#table.isAlive(one);
  }

  async #start({ plan, ports }: Planned): Promise<string> {
    for (const { port, setting } of ports) {
      if (await isTaken(port)) throw new StackError(`Port ${port}, which ${plan.name} needs, is taken by another process; stop that process or move this port with ${setting}.`);
    }
    return await this.#awaitHealth(this.#table.start(plan), 'started');
  }

  async #awaitHealth(one: StackProcess, how: string): Promise<string> {
    const deadline = performance.now() + 90_000;
    for (;;) {
      const alive = this.#table.isAlive(one);
      const problem = alive ? await problemOf(one.health) : 'it ended';
      if (problem === undefined) return how;
      if (!alive) throw new StackError(`${one.name} ended while it started. The end of its log (${this.#table.logPath(one.name)}):\n${this.#table.logTail(one.name)}`);
      if (performance.now() > deadline) {
        throw new StackError(`${one.name} runs but is not ready after 90 s: ${problem}. The end of its log (${this.#table.logPath(one.name)}):\n${this.#table.logTail(one.name)}`);
      }
      await pause(100);
    }
  }
}

const words = { stopped: 'stopped', killed: 'killed: it did not stop in time', dead: 'had died already' } as const;
