import { setTimeout as pause } from 'node:timers/promises';
import type { Interrupts } from './build.ts';
import { StackError } from './errors.mjs';
import { problemOf } from './health.ts';
import type { Note } from './install-once.ts';
import { unlessInterrupted } from './interruption.mjs';
import { isTaken } from './is-taken.mjs';
import { portTaken } from './machine/check-machine.mjs';
import { allPartNames, brokerName, serviceNames, type Env, type PartName, type ServiceName } from './places.mjs';
import { planPart, planService } from './plans.ts';
import { ProcessTable, type Planned, type StackProcess } from './process-table.ts';
import type { Settings } from './settings.ts';

/** Time that one of several brokers has to stop, in milliseconds. */
const brokerStopMs = 8000;

/** A running process, as `status --json` prints it. */
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
  readonly interrupts: Interrupts;
  readonly #env: Env;
  readonly #table: ProcessTable;
  readonly #startedHere = new Set<string>();

  /** @param interrupts end starts, with an `InterruptedError`; stops run on and only stop waiting */
  constructor(settings: Settings, env: Env, interrupts: Interrupts) {
    this.settings = settings;
    this.interrupts = interrupts;
    this.#env = env;
    this.#table = new ProcessTable(settings.home);
  }

  /** Starts a part where it does not run, and waits until it answers. */
  async startPart(name: PartName, note: Note = () => undefined): Promise<string> {
    if (this.settings.external.has(name)) return 'runs elsewhere, as the environment says';
    const names = this.#processesOf(name);
    if (names.every((one) => this.#runs(one))) {
      await Promise.all(names.map(async (one) => await this.#awaitHealth(this.#table.get(one)!)));
      return 'already running';
    }
    const planned = await planPart(name, { settings: this.settings, note, ...this.interrupts }, this.#env);
    // Brokers answer only when most of them run, so all start before one is waited for.
    const missing = planned.filter(({ plan }) => !this.#runs(plan.name));
    const started: StackProcess[] = [];
    for (const one of missing) started.push(await this.#launch(one));
    await Promise.all(started.map(async (one) => await this.#awaitHealth(one)));
    return 'started';
  }

  /** Starts a service where it does not run, and waits until it is ready. */
  async startService(name: ServiceName, alias: string = name): Promise<string> {
    const isRunning = this.#runs(alias);
    await this.#awaitHealth(isRunning ? this.#table.get(alias)! : await this.#launch(planService(name, this.settings, this.env(), alias)));
    return isRunning ? 'already running' : 'started';
  }

  /** The environment of this stack, with the engine `trino` where a Trino runs, and with the local Athena over it where that runs. */
  env(): Env {
    const { external, trinoUrl, ports } = this.settings;
    if (!external.has('trino') && !this.#runs('trino')) return this.#env;
    const athena = this.#runs('athena') ? { AWS_ENDPOINT_URL_ATHENA: `http://127.0.0.1:${ports.athena}` } : {};
    return { QUERY_ENGINES: 'duckdb,athena,trino', ...this.#env, ...athena, TRINO_URL: trinoUrl };
  }

  /** Starts one part or service by its name. */
  async start(name: string, alias: string, note?: Note): Promise<string> {
    const part = allPartNames.find((one) => this.#processesOf(one).includes(name));
    if (part !== undefined) return await this.startPart(part, note);
    const service = serviceNames.find((one) => one === name);
    if (service !== undefined) return await this.startService(service, alias);
    throw new StackError(`There is no "${name}"; the parts are ${allPartNames.join(', ')}, the services ${serviceNames.join(', ')}.`);
  }

  /** Stops one by its name or alias. */
  async stop(name: string): Promise<string> {
    const one = this.#table.get(name);
    if (one === undefined) throw new StackError(`"${name}" was not started here; ./millrace status shows what was.`);
    return await this.#stopOne(one);
  }

  /** Stops everything that was started: services first, so that accepted events still land. */
  async stopAll(onStopped: OnStopped): Promise<void> {
    await this.#stop(this.#table.all(), onStopped);
  }

  /** Stops what this object started. */
  async stopStartedHere(onStopped: OnStopped): Promise<void> {
    await this.#stop(
      this.#table.all().filter(({ name }) => this.#startedHere.has(name)),
      onStopped,
    );
  }

  /** Names of the running processes. */
  running(): string[] {
    return this.#table
      .all()
      .filter((one) => this.#table.isAlive(one))
      .map(({ name }) => name);
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

  async #stop(all: readonly StackProcess[], onStopped: OnStopped): Promise<void> {
    const services = all.filter(({ kind }) => kind === 'service');
    await Promise.all(services.map(async (one) => onStopped(one.name, await this.#stopOne(one))));
    const parts = all.filter(({ kind }) => kind === 'part').toReversed();
    // A broker that is left alone has no quorum to leave, and waits for one. So all brokers stop together, and get less time. A kill
    // loses no record: acknowledged records are in the page cache of the machine.
    for (const group of Map.groupBy(parts, ({ name }) => name.replace(/^kafka-\d$/, 'kafka')).values())
      await Promise.all(
        group.map(async (one) => onStopped(one.name, await this.#stopOne(one, group.length > 1 ? brokerStopMs : undefined))),
      );
  }

  #processesOf(part: PartName): readonly string[] {
    return part === 'kafka' ? Array.from({ length: this.settings.brokers }, (_, n) => brokerName(n + 1)) : [part];
  }

  async #stopOne(one: StackProcess, timeoutMs?: number): Promise<string> {
    const result = await this.#table.stop(one, { hard: this.interrupts.hard, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    return result === 'killed' && this.interrupts.hard.aborted ? 'killed' : words[result];
  }

  async #launch({ plan, ports }: Planned): Promise<StackProcess> {
    for (const { port, setting } of ports) {
      if (await isTaken(port)) throw new StackError(portTaken(port, plan.name, setting));
    }
    this.interrupts.signal.throwIfAborted();
    this.#startedHere.add(plan.name);
    return this.#table.start(plan);
  }

  async #awaitHealth(one: StackProcess): Promise<void> {
    const { signal } = this.interrupts;
    const { startMsMax = 90_000 } = one;
    const deadline = performance.now() + startMsMax;
    for (;;) {
      const alive = this.#table.isAlive(one);
      const problem = alive ? await unlessInterrupted(problemOf(one.health), signal) : 'it ended';
      if (problem === undefined) return;
      const log = `The end of its log (${this.#table.logPath(one.name)}):\n${this.#table.logTail(one.name)}`;
      if (!alive) throw new StackError(`${one.name} ended while it started. ${log}`);
      if (performance.now() > deadline)
        throw new StackError(`${one.name} runs but is not ready after ${startMsMax / 1000} s: ${problem}. ${log}`);
      await unlessInterrupted(pause(100), signal);
    }
  }
}

/** Called for each process that was stopped. */
export type OnStopped = (name: string, how: string) => void;

const words = { stopped: 'stopped', killed: 'killed: it did not stop in time', dead: 'had died already' } as const;
