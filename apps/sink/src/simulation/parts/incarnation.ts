/**
 * One life of a process. All its effects on the outside world pass {@link Incarnation.effect}. After its death, as after kill -9, no
 * attempt takes effect and no call returns.
 */
export class Incarnation {
  readonly effects: string[] = [];
  /** Resolves when the process dies. */
  readonly death: Promise<void>;
  #alive = true;
  #died: () => void = () => undefined;
  #dieAfter: number;

  /** @param dieAfter number of effects before it dies; the next one does not happen. Default: it does not die */
  constructor(dieAfter = Number.POSITIVE_INFINITY) {
    this.#dieAfter = dieAfter;
    this.death = new Promise((resolve) => (this.#died = resolve));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Dies after this many more effects. */
  dieAfter(effects: number): void {
    this.#dieAfter = this.effects.length + effects;
  }

  kill(): void {
    this.#alive = false;
    this.#died();
  }

  /** Returns while the process lives; never returns once it is dead. */
  async goesOn(): Promise<void> {
    if (!this.#alive) await new Promise<never>(() => undefined);
  }

  /** Records an effect and applies it; never returns once the process is dead. */
  async effect<T>(name: string, apply: () => T): Promise<Awaited<T>> {
    if (this.effects.length >= this.#dieAfter) this.kill();
    if (!this.#alive) return await new Promise<never>(() => undefined);
    this.effects.push(name);
    const result = await apply();
    // Killed during the effect: it happened, but the process never sees its result.
    if (!this.#alive) return await new Promise<never>(() => undefined);
    return result;
  }
}
