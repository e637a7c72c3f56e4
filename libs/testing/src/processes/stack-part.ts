import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './root.ts';

const run = promisify(execFile);

/** A part of the stack that this process's environment describes; only for a stack of the tests' own. */
export interface StackPart {
  /** Its process id; undefined when it was not started or has been stopped. */
  pid(): Promise<number | undefined>;
  /** Sends a signal to it and does not wait: `SIGKILL`, `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Starts it where it does not run, and waits until it answers. Its data are still there. */
  start(): Promise<void>;
  /** Stops it cleanly. */
  stop(): Promise<void>;
}

/** A handle on Kafka, Redis or the AWS emulator of the stack. */
export function stackPart(name: 'kafka' | 'redis' | 'aws'): StackPart {
  const pid = async (): Promise<number | undefined> => {
    const { processes } = JSON.parse(await millrace('status', '--json')) as { processes: { name: string; pid: number }[] };
    return processes.find((one) => one.name === name)?.pid;
  };
  return {
    pid,
    async signal(signal) {
      const found = await pid();
      if (found === undefined) throw new Error(`${name} was not started by this stack`);
      process.kill(found, signal);
    },
    start: async () => void (await millrace('start', name)),
    stop: async () => void (await millrace('stop', name)),
  };
}

async function millrace(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(join(root, 'millrace'), args, { cwd: root, env: process.env });
  return stdout;
}
