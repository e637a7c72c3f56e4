import { LakeError, type CatalogPointer, type PointerCatalog } from '@millrace/lake';
import type { Incarnation } from '../../simulation/parts/incarnation.ts';
import type { WriteFault } from '../../simulation/parts/simulated-store.ts';

/** The pointer in the simulated catalog, shared by every incarnation. */
export class SharedPointer {
  location: string | undefined;
  version = 0;
  /** Faults of the next moves; all later ones are answered. */
  readonly faults: WriteFault[] = [];
  /** Delayed moves that are not applied yet. */
  readonly delayed: (() => void)[] = [];
}

/** The catalog as one incarnation sees it. */
export class SimulatedCatalog implements PointerCatalog {
  protected readonly pointer: SharedPointer;
  readonly #life: Incarnation;
  readonly #pause: () => Promise<void>;

  constructor(pointer: SharedPointer, life: Incarnation, pause: () => Promise<void>) {
    this.pointer = pointer;
    this.#life = life;
    this.#pause = pause;
  }

  async read(): Promise<CatalogPointer | undefined> {
    await this.#pause();
    return await this.#life.effect('read the pointer', () => {
      const { location, version } = this.pointer;
      return version === 0 ? undefined : { location, version: String(version) };
    });
  }

  async move(from: CatalogPointer | undefined, location: string): Promise<void> {
    await this.#pause();
    await this.#life.effect(`point to ${location}`, () => {
      const fault = this.pointer.faults.shift();
      const later = (): void => {
        try {
          this.apply(from, location);
        } catch {
          // Its client is long gone.
        }
      };
      if (fault === undefined) return this.apply(from, location);
      if (fault === 'answer-lost') this.apply(from, location);
      if (fault === 'applied-later') this.pointer.delayed.push(later);
      if (fault === 'applied-twice') {
        this.pointer.delayed.push(later);
        return this.apply(from, location);
      }
      throw new LakeError('unavailable', 'the catalog did not answer');
    });
  }

  protected apply(from: CatalogPointer | undefined, location: string): void {
    if (String(this.pointer.version) !== (from?.version ?? '0')) throw new LakeError('exists', 'another writer moved the pointer first');
    this.pointer.location = location;
    this.pointer.version += 1;
  }
}
