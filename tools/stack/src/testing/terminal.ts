import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** Where a command runs. */
export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

// The interpreter itself: the python3 on the PATH may be a script, which needs more of the environment than a test gives.
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** A command in a pseudo-terminal. */
export class Terminal {
  /** The command's exit code; 128 + N after signal N. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #text = '';
  /** The command's pid on the first line, and then other lines of the driver. */
  #pid = '';

  constructor(command: readonly string[], { cwd, env }: TerminalOptions) {
    const stdio = ['pipe', 'pipe', 'pipe'] as const;
    this.#child = spawn(python, [join(import.meta.dirname, 'run-in-terminal.py'), ...command], {
      cwd,
      env: { TERM: 'xterm', ...env },
      stdio: [...stdio],
    });
    this.#child.stdout.on('data', (chunk: Buffer) => void (this.#text += chunk.toString()));
    this.#child.stderr.on('data', (chunk: Buffer) => void (this.#pid += chunk.toString()));
    this.ended = once(this.#child, 'close').then(([code]) => code as number);
  }

  /** Everything that the terminal has shown. */
  get text(): string {
    return this.#text;
  }

  /** Waits until the terminal shows a text. */
  async until(text: string): Promise<void> {
    const deadline = performance.now() + 200_000;
    while (!this.#text.includes(text)) {
      if (this.#child.exitCode !== null)
        throw new Error(`The command ended without showing "${text}":\n${this.#text.slice(-4000)}${this.#pid}`);
      if (performance.now() > deadline) throw new Error(`The terminal does not show "${text}":\n${this.#text.slice(-4000)}`);
      await pause(20);
    }
  }

  /** Presses Ctrl-C. */
  pressCtrlC(): void {
    this.#child.stdin.write('\u0003');
  }

  /** Closes the terminal, as a window or a lost connection does. */
  close(): void {
    this.#child.stdin.end();
  }

  /** Sends a signal to the command alone, as a supervisor does. */
  signal(name: NodeJS.Signals): void {
    process.kill(Number(this.#pid.split('\n')[0]), name);
  }
}
