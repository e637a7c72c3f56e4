import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { waitUntil } from '@millrace/testing';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A line that an example prints for an event. */
export interface PrintedEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly time: string;
  readonly partition: number;
  readonly offset: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An example that runs in its own process. */
export class ExampleProcess {
  readonly events: PrintedEvent[] = [];
  /** Lines of stderr. */
  readonly errors: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals | null>;

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    running.add(child);
    createInterface(child.stdout).on('line', (line) => this.events.push(JSON.parse(line) as PrintedEvent));
    createInterface(child.stderr).on('line', (line) => this.errors.push(line));
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => this.errors.push(String(error)));
      child.once('close', (code, signal) => {
        running.delete(child);
        resolve(code ?? signal);
      });
    });
  }

  /** Waits until it has printed a number of events. */
  async waitForEvents(count: number): Promise<void> {
    await waitUntil(`${count} events of an example`, () => this.events.length >= count, { timeoutMs: 60_000 }).catch((cause: unknown) => {
      throw new Error(`The example printed ${this.events.length} events. Its errors:\n${this.errors.join('\n')}`, { cause });
    });
  }

  /** Sends SIGTERM. Returns the exit code, or the signal that ended the process. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#child.kill('SIGTERM');
    return await this.#ended;
  }
}
