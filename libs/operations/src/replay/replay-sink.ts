import { purchases, nodeFlags } from '@millrace/contracts';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { OperationError } from '../errors.ts';

/** The program of the sink. */
export interface SinkProgram {
  /** Path of the built `main.js`. */
  readonly main: string;
  /** Environment of the live sink. The replay replaces its port, group, table, spool and audit. */
  readonly env: Readonly<Record<string, string>>;
}

/** Settings of the live sink that the replay does not inherit. */
const notInherited =
  /^(MILLRACE_AUTH_.*|SINK_(URL|HOST|PORT|GROUP_ID|TABLE|CATALOG_TABLE|SPOOL_DIR|FLUSH_SECONDS|SHUTDOWN_SECONDS|AUDIT_.*))$/;

/** Maximum time in which a replay takes no event, in milliseconds. */
const silentMsMax = 120_000;

/** A sink process that writes another table in another consumer group. */
export class ReplaySink {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #log: string;
  #url: string | undefined;
  #refusal: string | undefined;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#log = join(folder, 'sink.log');
    const log = createWriteStream(this.#log);
    child.stderr!.pipe(log);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      log.write(`${line}\n`);
      this.#read(line);
    });
  }

  /**
   * Starts the process. Its state, spool and log are in a temporary folder, which {@link ReplaySink.dispose} deletes.
   *
   * @throws OperationError `unavailable` when the sink is not built
   */
  static start({ main, env }: SinkProgram, table: string, groupId: string): ReplaySink {
    if (!existsSync(main))
      throw new OperationError('unavailable', `The sink is not built (${main} is not there): ./millrace up builds it.`);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-replay-'));
    const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !notInherited.test(name)));
    const child = spawn(process.execPath, [...nodeFlags, main], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...inherited,
        MILLRACE_HOME: folder,
        SINK_HOST: '127.0.0.1',
        SINK_PORT: '0',
        SINK_STREAMS: purchases.name,
        SINK_GROUP_ID: groupId,
        SINK_TABLE: table,
        SINK_FLUSH_SECONDS: '60',
        SINK_SHUTDOWN_SECONDS: '600',
        SINK_AUDIT_SECONDS: '0',
        LOG_LEVEL: 'info',
      },
    });
    return new ReplaySink(child, folder);
  }

  /**
   * Waits until the sink has taken every partition up to its end.
   *
   * @param onProgress receives the next offset of each partition
   * @throws OperationError `unfinished` when the process ends, refuses a partition, or takes no event for two minutes
   */
  async takeTo(
    ends: ReadonlyMap<number, number>,
    signal: AbortSignal,
    onProgress: (taken: ReadonlyMap<number, number>) => void,
  ): Promise<void> {
    let last = '';
    for (let lastMoved = performance.now(); ; await delay(500, undefined, { signal })) {
      signal.throwIfAborted();
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw this.#failure('The sink of the replay ended');
      if (this.#refusal !== undefined) throw this.#failure(this.#refusal);
      const taken = await this.#taken(signal);
      onProgress(taken);
      if ([...ends].every(([partition, end]) => (taken.get(partition) ?? 0) >= end)) return;
      const now = JSON.stringify([...taken]);
      if (now !== last) lastMoved = performance.now();
      last = now;
      if (performance.now() - lastMoved > silentMsMax)
        throw this.#failure(`The sink of the replay has taken nothing for ${silentMsMax / 1000} s`);
    }
  }

  /** Waits until the sink has landed the events that it took, and has ended. */
  async finish(signal: AbortSignal): Promise<void> {
    const ended = once(this.#child, 'exit', { signal });
    this.#child.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw this.#failure(`The sink of the replay ended with ${code}`);
  }

  /** Kills the process if it runs, and deletes its folder. */
  async dispose(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #taken(signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
    const taken = new Map<number, number>();
    if (this.#url === undefined) return taken;
    const text = await fetch(`${this.#url}/metrics`, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
      .then(async (answer) => await answer.text())
      .catch(() => '');
    for (const [, labels, value] of text.matchAll(/^millrace_sink_lane_offset\{([^}]*)\} (\S+)$/gm)) {
      const partition = /partition="(\d+)"/.exec(labels!)?.[1];
      if (partition !== undefined && labels!.includes('stage="taken"')) taken.set(Number(partition), Number(value));
    }
    return taken;
  }

  #read(line: string): void {
    try {
      const { msg, url, type } = JSON.parse(line) as { msg?: string; url?: string; type?: string };
      if (url !== undefined && msg?.startsWith('The sink service listens') === true) this.#url = url;
      if (type === 'LaneRefused') this.#refusal = msg;
    } catch {
      // Not a line of the log.
    }
  }

  #failure(what: string): OperationError {
    const tail = existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim().split('\n').slice(-8).join('\n') : '';
    return new OperationError('unfinished', `${what.replace(/\.$/, '')}.${tail === '' ? '' : ` The end of its log:\n${tail}`}`);
  }
}
