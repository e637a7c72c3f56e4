import { RejectedError } from '@millrace/resilience';
import { redactText } from '../logging/redact.ts';
import { appendToSentence, describeError } from '../pipelines/dependency-errors.ts';
import type { DependencyHealth, Readiness } from './readiness.ts';

/** Health check of a dependency. */
export interface HealthCheck {
  /**
   * Resolves when the dependency works, optionally with a fact worth showing; rejects with the reason when it does not. The signal ends at
   * the time limit.
   */
  readonly check: (signal: AbortSignal) => Promise<string | undefined | void>;
  /** True: without it the service is not ready. False: without it the service is ready but degraded. */
  readonly required: boolean;
  /** Time limit of one check in milliseconds, ≥ 1; a check that takes longer has failed. Default 1000. */
  readonly timeoutMs?: number;
}

interface Entry {
  readonly check: HealthCheck;
  last?: { readonly health: DependencyHealth; readonly atMs: number };
  pending?: Promise<DependencyHealth>;
}

/** Options of {@link HealthRegistry}. */
export interface HealthRegistryOptions {
  /** Name of the service, shown in the answer. */
  readonly service: string;
  /**
   * Time for which an answer is reused, in milliseconds, so that many probes cost a dependency one check; 0 asks each time. Default 1000.
   */
  readonly cacheMs?: number;
  /** Wall clock in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Checks the dependencies of the service and reports its readiness. */
export class HealthRegistry {
  private readonly entries = new Map<string, Entry>();
  private readonly now: () => number;
  private stopping = false;
  /** Returns the last error of a dependency by the name of its pipeline, for a check whose call the pipeline rejected. Default: none. */
  lastErrorOf: (pipeline: string) => string | undefined = () => undefined;

  constructor(private readonly options: HealthRegistryOptions) {
    this.now = options.now ?? Date.now;
  }

  /**
   * Adds a dependency under a name that is not taken yet.
   * @returns A function that takes it out again.
   * @throws TypeError when the name is taken.
   */
  register(name: string, check: HealthCheck): () => void {
    if (this.entries.has(name)) throw new TypeError(`A health check named "${name}" is registered already.`);
    const entry: Entry = { check };
    this.entries.set(name, entry);
    return () => {
      if (this.entries.get(name) === entry) this.entries.delete(name);
    };
  }

  /** Makes the service unready from now on. It finishes its requests. */
  stop(): void {
    this.stopping = true;
  }

  /** Checks all dependencies concurrently, or returns an answer younger than `cacheMs`. */
  async readiness(): Promise<Readiness> {
    const dependencies = await Promise.all([...this.entries].map(([name, entry]) => this.ask(name, entry)));
    return { status: this.statusOf(dependencies), service: this.options.service, dependencies };
  }

  private statusOf(dependencies: readonly DependencyHealth[]): Readiness['status'] {
    if (this.stopping) return 'stopping';
    const down = dependencies.filter((dependency) => dependency.status === 'down');
    if (down.length === 0) return 'ready';
    return down.some((dependency) => dependency.required) ? 'unavailable' : 'degraded';
  }

  private ask(name: string, entry: Entry): Promise<DependencyHealth> {
    if (entry.last !== undefined && this.now() - entry.last.atMs < (this.options.cacheMs ?? 1000))
      return Promise.resolve(entry.last.health);
    entry.pending ??= this.run(name, entry).finally(() => {
      delete entry.pending;
    });
    return entry.pending;
  }

  private async run(name: string, entry: Entry): Promise<DependencyHealth> {
    const startedMs = this.now();
    const { status, detail } = await outcomeOf(entry.check, this.lastErrorOf);
    const endedMs = this.now();
    const before = entry.last?.health;
    const checkedAt = new Date(endedMs).toISOString();
    const health: DependencyHealth = {
      name,
      required: entry.check.required,
      status,
      ...(detail === undefined ? {} : { detail }),
      since: before?.status === status ? before.since : checkedAt,
      checkedAt,
      durationMs: endedMs - startedMs,
    };
    entry.last = { health, atMs: endedMs };
    return health;
  }
}

/** A check that ignores its signal must not hold the answer, so the time limit is raced as well as signalled. */
async function outcomeOf(
  { check, timeoutMs = 1000 }: HealthCheck,
  lastErrorOf: HealthRegistry['lastErrorOf'],
): Promise<{ status: 'up' | 'down'; detail?: string }> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      reject(error);
      controller.abort(error);
    }, timeoutMs);
  });
  try {
    const detail = await Promise.race([Promise.resolve().then(() => check(controller.signal)), late]);
    return detail === undefined ? { status: 'up' } : { status: 'up', detail };
  } catch (error) {
    return { status: 'down', detail: redactText(reasonOf(error, lastErrorOf)) };
  } finally {
    clearTimeout(timer);
  }
}

/** The reason of a failed check. A rejected call did not reach the dependency, whose last error says more. */
function reasonOf(error: unknown, lastErrorOf: HealthRegistry['lastErrorOf']): string {
  const refusal = [error, error instanceof Error ? error.cause : undefined].find((one) => one instanceof RejectedError);
  const last = refusal === undefined ? undefined : lastErrorOf(refusal.pipeline);
  return last === undefined ? describeError(error) : appendToSentence(describeError(error), '; ', `the last error: ${last}`);
}
