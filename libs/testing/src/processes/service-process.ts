import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { waitUntil } from '../wait-until.ts';
import { freePort } from './free-port.ts';
import { root } from './root.ts';

// As tools/stack starts them.
const entries = {
  purchase: ['apps/purchase/dist/main.js', 'PURCHASE_PORT'],
  sink: ['apps/sink/dist/main.js', 'SINK_PORT'],
  'query-api': ['apps/query-api/dist/main.js', 'QUERY_PORT'],
  'query-worker': ['apps/query-api/dist/worker.js', 'QUERY_WORKER_PORT'],
  projector: ['apps/sink/dist/projector.js', 'PROJECTOR_PORT'],
} as const;

// `nodeFlags` of libs/contracts.
const flags = ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning', '--max-semi-space-size=32'];

/** A service that can be started. */
export type SpawnedServiceName = keyof typeof entries;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to start a service. */
export interface SpawnOptions {
  /** State to wait for: `ready` (default) for `/health/ready`, `live` for `/health/live` when a dependency is down on purpose. */
  readonly until?: 'ready' | 'live';
  /**
   * Built file that replaces the entry of the service, from the root of the repository. Default: the entry that `./millrace start` runs.
   */
  readonly entry?: string;
  /** Milliseconds until the wait is given up and the process killed. Default 90000. */
  readonly timeoutMs?: number;
  /** Command that executes the service as its arguments, in the same process: `unshare`, for a namespace. Default: none. */
  readonly wrapper?: readonly string[];
  /** Sees the process as soon as it exists, before it is ready. */
  readonly onSpawn?: (service: ServiceProcess) => void;
}

/** Maximum number of characters of output that are kept. */
const outputCharsMax = 64 * 1024;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real service in its own process. */
export class ServiceProcess {
  readonly name: SpawnedServiceName;
  readonly url: string;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Exit>;
  readonly #child: ChildProcess;
  #output = '';
  #exit: Exit | undefined;

  constructor(name: SpawnedServiceName, url: string, child: ChildProcess) {
    this.name = name;
    this.url = url;
    this.#child = child;
    running.add(child);
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-outputCharsMax);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => keep(Buffer.from(String(error))));
      child.once('close', (code, signal) => {
        running.delete(child);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The end of its output on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Sends a signal and does not wait: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal that ends it, and waits until it is gone. `SIGKILL` is a crash; `SIGTERM` (default) a clean stop. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    return await this.ended;
  }
}

/**
 * Starts the built entry of a service, as `./millrace start` does, and waits until it answers. Its environment is this process's, with
 * `env` over it; without a port in `env` it gets a free one. It is killed when this process exits.
 *
 * @throws Error with the end of its output when it ends before it answers, or does not answer in time
 */
export async function spawnService(
  name: SpawnedServiceName,
  env: Readonly<Record<string, string>> = {},
  { until = 'ready', entry, timeoutMs = 90_000, wrapper = [], onSpawn }: SpawnOptions = {},
): Promise<ServiceProcess> {
  const [ownPath, portKey] = entries[name];
  const path = entry ?? ownPath;
  const port = env[portKey] ?? String(await freePort());
  // The addresses of the stack's services are for tests; a service would refuse these keys as misspelt settings.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(PURCHASE|SINK|QUERY|QUERY_WORKER|PROJECTOR)_(URL|PORT)$/.test(key)),
  );
  const [command, ...args] = [...wrapper, join(root, 'node_modules', '.bin', 'node'), ...flags, join(root, path)];
  const child = spawn(command, args, {
    cwd: root,
    env: { ...inherited, ...env, [portKey]: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const service = new ServiceProcess(name, `http://127.0.0.1:${port}`, child);
  onSpawn?.(service);
  try {
    await waitUntil(
      `${name} to be ${until}`,
      async () => {
        if (service.exit !== undefined) return 'ended';
        const { ok } = await fetch(`${service.url}/health/${until}`, { signal: AbortSignal.timeout(5000) });
        return ok ? 'up' : undefined;
      },
      { timeoutMs, everyMs: 50 },
    );
    if (service.exit !== undefined) throw new Error(`${name} ended before it was ${until}: ${JSON.stringify(service.exit)}`);
    return service;
  } catch (cause) {
    await service.kill('SIGKILL');
    throw new Error(`${(cause as Error).message}\nThe end of its output:\n${service.output.slice(-4000)}`, { cause });
  }
}
