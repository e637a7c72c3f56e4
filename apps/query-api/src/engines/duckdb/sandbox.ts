import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { QueryError } from '../../errors.ts';
import type { FileGrant, FileLease } from './file-server.ts';
import type { LakeFile } from './lake-file.ts';
import {
  memorySignal,
  resultPipe,
  type PrepareMessage,
  type RunMessage,
  type SandboxLimits,
  type SandboxReport,
} from './sandbox-protocol.ts';

/** How sandboxes are made. */
export interface SandboxSettings {
  readonly limits: SandboxLimits;
  /** Directory in which each sandbox gets a directory for spilled data. */
  readonly tempRoot: string;
  readonly httpfsPath: string | undefined;
  /** Home directory, under which DuckDB keeps an extension that it had to install. */
  readonly home: string | undefined;
  /** Longest time until a sandbox is ready, in milliseconds. */
  readonly startMsMax: number;
  /** Memory of the worker for files that it keeps between statements, in bytes. With 0 DuckDB keeps none either. */
  readonly keptBytesMax: number;
}

/** Environment of a sandbox: nothing of the service's own, since credentials may be there. */
export function sandboxEnvironment(home: string | undefined): Record<string, string> {
  return { TZ: 'UTC', ...(home === undefined ? {} : { HOME: home }) };
}

const stderrCharactersMax = 4000;

/** One process that runs one statement at a time. */
export class Sandbox {
  readonly #child: ChildProcess;
  readonly #limits: SandboxLimits;
  readonly #ready = Promise.withResolvers<void>();
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  readonly #lease: FileLease;
  readonly #lines: Readable;
  readonly #cleared: Promise<void>;
  #stderr = '';

  private constructor(child: ChildProcess, tempDirectory: string, lease: FileLease, settings: SandboxSettings) {
    this.#child = child;
    this.#lease = lease;
    this.#lines = (child.stdio[resultPipe] as Readable).setEncoding('utf8');
    // The exit event reports the failure.
    this.#lines.on('error', () => undefined);
    this.#limits = settings.limits;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-stderrCharactersMax)));
    child.on('message', (report: SandboxReport) => {
      if (report.kind === 'ready') this.#ready.resolve();
      else this.#ready.reject(new QueryError('unavailable', `DuckDB could not start: ${report.message}`));
    });
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#ready.reject(new QueryError('unavailable', `DuckDB's process could not be started: ${error.message}`, { cause: error }));
        if (child.pid === undefined) resolve(null);
      });
      child.once('exit', (code) => {
        this.#ready.reject(
          new QueryError('unavailable', `DuckDB's process ended before it was ready: ${this.#stderr.trim() || `exit code ${code}`}`),
        );
        resolve(code);
      });
    });
    this.#ready.promise.catch(() => undefined);
    const timer = setTimeout(() => {
      this.#ready.reject(new QueryError('unavailable', `DuckDB's process was not ready within ${settings.startMsMax} ms.`));
      this.kill();
    }, settings.startMsMax);
    void Promise.race([this.#ready.promise.catch(() => undefined), this.exited]).then(() => clearTimeout(timer));
    this.#cleared = this.#clearUp(tempDirectory);
    const { limits, httpfsPath, keptBytesMax } = settings;
    const prepare: PrepareMessage = {
      kind: 'prepare',
      limits,
      tempDirectory,
      httpfsPath,
      filesUrl: lease.url,
      keepsFiles: keptBytesMax > 0,
    };
    // The exit reports an error here.
    child.send(prepare, () => undefined);
  }

  async #clearUp(tempDirectory: string): Promise<void> {
    await this.exited;
    this.#lease.end();
    await rm(tempDirectory, { recursive: true, force: true }).catch(() => undefined);
  }

  /**
   * Starts a process; {@link ready} resolves when it can accept a statement.
   *
   * @param lease the files that it may read; ended with the process
   */
  static async start(settings: SandboxSettings, lease: FileLease): Promise<Sandbox> {
    const tempDirectory = await mkdtemp(join(settings.tempRoot, 'millrace-query-'));
    const fromSource = import.meta.filename.endsWith('.ts');
    const entry = join(import.meta.dirname, fromSource ? 'sandbox-main.ts' : 'sandbox-main.js');
    const child = fork(entry, [], {
      env: sandboxEnvironment(settings.home),
      execArgv: ['--max-old-space-size=128'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
    });
    return new Sandbox(child, tempDirectory, lease, settings);
  }

  /**
   * Resolves when the process can accept a statement.
   *
   * @throws QueryError `unavailable`
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Lets the process read the files of a table, until the grant is revoked. */
  grant(partitionKey: string, files: readonly LakeFile[]): FileGrant {
    return this.#lease.grant(partitionKey, files);
  }

  /** Hands a statement over; the result comes line by line from the pipe. The statement before must have ended. */
  run(message: Omit<RunMessage, 'kind'>): Readable {
    this.#child.send({ kind: 'run', ...message } satisfies RunMessage, () => undefined);
    return this.#lines;
  }

  /** Ends the process at once, whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Kills the process and waits until it has ended and its directory is removed. */
  async close(): Promise<void> {
    this.kill();
    await this.#cleared;
  }

  /** Why a process that is gone has not finished its result. */
  async deathReason(): Promise<QueryError> {
    const code = await this.exited;
    // V8 aborts when its own heap is full: values are JSON there before they are written.
    if (this.#child.signalCode === memorySignal || this.#child.signalCode === 'SIGABRT') {
      return new QueryError(
        'engine-failed',
        `The statement needed more than ${this.#limits.processMemoryMiB} MiB of memory. Read fewer rows or columns, or aggregate first.`,
      );
    }
    return new QueryError('engine-failed', `DuckDB's process ended unexpectedly (exit code ${code ?? this.#child.signalCode}).`, {
      cause: new Error(this.#stderr),
    });
  }
}
