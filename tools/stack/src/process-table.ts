import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startOf } from '@millrace/runtime/process-life';
import { StackError } from './errors.mjs';

/** A process that the stack started. */
export interface StackProcess {
  /** Its name, or the alias under which it was started. */
  readonly name: string;
  readonly kind: 'part' | 'service';
  readonly pid: number;
  /** Distinguishes the process from a later one with the same pid. */
  readonly startedAt: string;
  readonly url: string;
  /** URL that answers when the process is healthy. */
  readonly health: string;
  /** Time until it must be healthy after its start, in milliseconds. Default: 90 s. */
  readonly startMsMax?: number;
}

/** How to start a process. */
export interface StartPlan {
  readonly name: string;
  readonly kind: 'part' | 'service';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly url: string;
  readonly health: string;
  readonly startMsMax?: number;
}

/** A plan, and the ports it takes with the settings that move them. */
export interface Planned {
  readonly plan: StartPlan;
  readonly ports: readonly { readonly port: number; readonly setting: string }[];
}

/** The processes of a stack, recorded in pid files. It starts them detached and stops only its own. */
export class ProcessTable {
  readonly #run: string;
  readonly #logs: string;

  constructor(home: string) {
    this.#run = join(home, 'run');
    this.#logs = join(home, 'logs');
  }

  /** Every process that was started and not stopped, alive or dead. */
  all(): StackProcess[] {
    if (!existsSync(this.#run)) return [];
    return readdirSync(this.#run)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => JSON.parse(readFileSync(join(this.#run, name), 'utf8')) as StackProcess);
  }

  get(name: string): StackProcess | undefined {
    return this.all().find((one) => one.name === name);
  }

  isAlive({ pid, startedAt }: StackProcess): boolean {
    return startOf(pid) === startedAt;
  }

  logPath(name: string): string {
    return join(this.#logs, `${name}.log`);
  }

  /** The end of a process's log, for an error message. */
  logTail(name: string, lines = 15): string {
    try {
      return readFileSync(this.logPath(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '';
    }
  }

  /** Starts a process that outlives this one. */
  start(plan: StartPlan): StackProcess {
    mkdirSync(this.#run, { recursive: true });
    mkdirSync(this.#logs, { recursive: true });
    const log = openSync(this.logPath(plan.name), 'a');
    const child = spawn(plan.command, [...plan.args], { cwd: plan.cwd, env: plan.env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new StackError(`${plan.name} cannot be started: ${plan.command} is missing.`);
    const started: StackProcess = {
      name: plan.name,
      kind: plan.kind,
      pid: child.pid,
      startedAt: startOf(child.pid) ?? '',
      url: plan.url,
      health: plan.health,
      ...(plan.startMsMax === undefined ? {} : { startMsMax: plan.startMsMax }),
    };
    writeFileSync(join(this.#run, `${plan.name}.json`), `${JSON.stringify(started)}\n`);
    return started;
  }

  /** Stops a process: SIGTERM, then SIGKILL when the time is up or `hard` aborts. Returns once it is gone. */
  async stop(
    one: StackProcess,
    { timeoutMs = 30_000, hard }: { timeoutMs?: number; hard?: AbortSignal | undefined } = {},
  ): Promise<'stopped' | 'killed' | 'dead'> {
    let result: 'stopped' | 'killed' | 'dead' = 'dead';
    if (this.isAlive(one)) {
      result = 'stopped';
      signal(one.pid, 'SIGTERM');
      const deadline = performance.now() + timeoutMs;
      const mayWait = (): boolean => performance.now() < deadline && hard?.aborted !== true;
      while (this.isAlive(one) && mayWait()) await pause(50);
      if (this.isAlive(one)) {
        result = 'killed';
        signal(one.pid, 'SIGKILL');
        while (this.isAlive(one)) await pause(20);
      }
    }
    rmSync(join(this.#run, `${one.name}.json`), { force: true });
    return result;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself in between.
  }
}
