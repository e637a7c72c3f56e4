import { spawn, type ChildProcess } from 'node:child_process';
import { builtFile } from '../built-file.ts';

/**
 * A process that outlives the runner by a moment. It learns of each process and directory of the experiment. When the runner ends, by
 * SIGKILL too, it ends these processes and removes these directories.
 */
export class Keeper {
  readonly #child: ChildProcess;

  constructor() {
    // In a separate process group: a Ctrl-C at the terminal must not end it before the runner.
    this.#child = spawn(process.execPath, [builtFile('stage/keeper-child.js')], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#child.stdin!.on('error', () => undefined);
  }

  /** Ends a process when the runner is gone. */
  keepProcess(pid: number): void {
    this.#child.stdin!.write(`process ${pid}\n`);
  }

  /** Removes a directory when the runner is gone. */
  keepFolder(path: string): void {
    this.#child.stdin!.write(`folder ${path}\n`);
  }

  /** Starts its cleanup now. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin!.end();
    await ended;
  }
}
