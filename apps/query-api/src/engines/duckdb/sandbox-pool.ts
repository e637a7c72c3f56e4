import type { FileLease } from './file-server.ts';
import { Sandbox, type SandboxSettings } from './sandbox.ts';

/** Time for which a sandbox beside the one that is kept ready may wait for a statement, in milliseconds. */
const idleMsMax = 60_000;

/**
 * Keeps sandboxes for the next statements, since one that has run knows the table's files. The sandbox that ran last is taken first. One
 * is always ready, so that no statement waits for a process to start.
 */
export class SandboxPool {
  readonly #settings: SandboxSettings;
  readonly #lease: () => Promise<FileLease>;
  readonly #live = new Set<Sandbox>();
  /** The last one ran last. */
  readonly #idle: Sandbox[] = [];
  readonly #reapers = new Map<Sandbox, NodeJS.Timeout>();
  #spare: Promise<Sandbox> | undefined;
  #closed = false;

  /** @param lease opens a lease of files for one sandbox */
  constructor(settings: SandboxSettings, lease: () => Promise<FileLease>) {
    this.#settings = settings;
    this.#lease = lease;
  }

  /** Starts a sandbox where none is ready, and resolves when one is. */
  async warm(): Promise<void> {
    if (this.#idle.length > 0) return;
    this.#spare ??= this.#start();
    const spare = this.#spare;
    try {
      const sandbox = await spare;
      await sandbox.ready;
      if (!sandbox.alive) throw await sandbox.deathReason();
    } catch (error) {
      // A failed spare must not be handed out again.
      if (this.#spare === spare) this.#spare = undefined;
      throw error;
    }
  }

  /** Takes a ready sandbox. The caller gives it back or closes it. */
  async take(): Promise<Sandbox> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        this.#forget(idle);
        this.#warmLater();
        return idle;
      }
      await this.warm();
      const spare = this.#spare;
      this.#spare = undefined;
      // Another statement may have taken the spare in the same moment.
      if (spare === undefined) continue;
      this.#warmLater();
      return await spare;
    }
  }

  /** Takes a sandbox back whose statement has ended, for the next statement. */
  give(sandbox: Sandbox): void {
    if (this.#closed || !sandbox.alive) {
      sandbox.kill();
      return;
    }
    this.#idle.push(sandbox);
    const reaper = setTimeout(() => {
      if (this.#idle.length > 1) sandbox.kill();
    }, idleMsMax);
    this.#reapers.set(sandbox, reaper.unref());
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const reaper of this.#reapers.values()) clearTimeout(reaper);
    await this.#spare?.catch(() => undefined);
    await Promise.all([...this.#live].map((sandbox) => sandbox.close()));
  }

  async #untilExit(sandbox: Sandbox): Promise<void> {
    await sandbox.exited;
    this.#live.delete(sandbox);
    this.#forget(sandbox);
  }

  #warmLater(): void {
    if (!this.#closed && this.#idle.length === 0) void this.warm().catch(() => undefined);
  }

  #forget(sandbox: Sandbox): void {
    clearTimeout(this.#reapers.get(sandbox));
    this.#reapers.delete(sandbox);
    const at = this.#idle.indexOf(sandbox);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  async #start(): Promise<Sandbox> {
    if (this.#closed) throw new Error('the pool is closed');
    const sandbox = await Sandbox.start(this.#settings, await this.#lease());
    this.#live.add(sandbox);
    void this.#untilExit(sandbox);
    if (this.#closed) sandbox.kill();
    return sandbox;
  }
}
