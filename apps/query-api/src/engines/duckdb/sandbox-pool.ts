import { Sandbox, type SandboxSettings } from './sandbox.ts';

/** Keeps one sandbox ready, so that a statement does not wait for a process to start, and knows every one that runs. */
export class SandboxPool {
  readonly #settings: SandboxSettings;
  readonly #live = new Set<Sandbox>();
  #spare: Promise<Sandbox> | undefined;
  #closed = false;

  constructor(settings: SandboxSettings) {
    this.#settings = settings;
  }

  /** Starts the spare sandbox where there is none and resolves when it is ready. */
  async warm(): Promise<void> {
    this.#spare ??= this.#start();
    const spare = this.#spare;
    try {
      const sandbox = await spare;
      await sandbox.ready;
      if (!sandbox.alive) throw await sandbox.deathReason();
    } catch (error) {
      // A spare that failed must not be handed out for ever.
      if (this.#spare === spare) this.#spare = undefined;
      throw error;
    }
  }

  /** Takes a ready sandbox; it is the caller's to close. The next spare is started at once. */
  async take(): Promise<Sandbox> {
    await this.warm();
    const taken = this.#spare!;
    this.#spare = undefined;
    void this.warm().catch(() => undefined);
    return await taken;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#spare?.catch(() => undefined);
    await Promise.all([...this.#live].map((sandbox) => sandbox.close()));
  }

  async #start(): Promise<Sandbox> {
    if (this.#closed) throw new Error('the pool is closed');
    const sandbox = await Sandbox.start(this.#settings);
    this.#live.add(sandbox);
    void sandbox.exited.then(() => this.#live.delete(sandbox));
    if (this.#closed) sandbox.kill();
    return sandbox;
  }
}
