/**
 * One life of a process. Everything it does to the world outside passes {@link Incarnation.effect}; once it is dead nothing it still
 * tries takes effect, and nothing it waits for ever returns, as after kill -9.
 */
export class Incarnation {
  readonly effects: string[] = [];
  /** Resolves when the process dies. */
  readonly death: Promise<void>;
  #alive = true;
  #died: () => void = () => undefined;
  #dieAfter: number;

  /** @param dieAfter how many effects it lives to see; the next one does not happen. Default: it does not die. */
  constructor(dieAfter = Number.POSITIVE_INFINITY) {
    this.#dieAfter = dieAfter;
    this.death = new Promise((resolve) => (this.#died = resolve));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Lives to see this many effects more. */
  dieAfter(effects: number): void {
    this.#dieAfter = this.effects.length + effects;
  }

  kill(): void {
    this.#alive = false;
    this.#died();
  }

  /** Hangs for ever when the process is dead. */
  async goesOn(): Promise<void> {
    if (!this.#alive) await new Promise<never>(() => undefined);
  }

  /** Records an effect and lets it happen, or hangs for ever when the process is dead. */
  async effect<T>(name: string, apply: () => T): Promise<Awaited<T>> {
    if (this.effects.length >= this.#dieAfter) this.kill();
    if (!this.#alive) return await new Promise<never>(() => undefined);
    this.effects.push(name);
    const result = await apply();
    // Killed while the effect was under way: it happened, but no one learns of it.
    if (!this.#alive) return await new Promise<never>(() => undefined);
    return result;
  }
}
