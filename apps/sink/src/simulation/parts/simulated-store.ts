import { LakeError, type CallOptions, type ObjectBody, type ObjectStore, type PutOptions } from '@millrace/lake';
import type { Incarnation } from './incarnation.ts';
import { tick } from './tick.ts';

const turnsOfLateRead = 6;

/** Fault of a write. */
export type WriteFault =
  /** Not applied, and an error answered. */
  | 'refused'
  /** Applied, but the answer is lost. */
  | 'answer-lost'
  /** An error answered; applied later, when the world chooses. */
  | 'applied-later'
  /** Applied and answered; applied again later. */
  | 'applied-twice'
  /** 409: another conditional request was in flight. Not applied. */
  | 'conflict';

/** Outcome of a read: answered, answered after later ones, or not answered. */
export type ReadFault = 'none' | 'late' | 'failed';

/** Chooses the fault of a write by its number from 0 and its key. */
export type FaultPlan = (n: number, key: string) => WriteFault | undefined;

/** The objects of the simulated S3, shared by every incarnation. */
export class SimulatedBucket {
  readonly objects = new Map<string, Uint8Array>();
  /** Delayed writes that are not applied yet. */
  readonly delayed: (() => void)[] = [];
  plan: FaultPlan = () => undefined;
  writes = 0;
  /** Outcomes of the next reads; all later ones are answered. */
  readonly reads: ReadFault[] = [];
  /** Changes whenever an object does. */
  version = 0;

  set(key: string, bytes: Uint8Array): void {
    this.objects.set(key, bytes);
    this.version += 1;
  }

  delete(key: string): void {
    this.objects.delete(key);
    this.version += 1;
  }

  /** Lets a delayed write take effect, the oldest by default. */
  applyDelayed(which = 0): void {
    const [apply] = this.delayed.splice(which % Math.max(1, this.delayed.length), 1);
    apply?.();
  }

  keys(prefix: string): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }

  /** The next path parts under a prefix, each with its `/`. */
  folders(prefix: string): string[] {
    const folders = this.keys(prefix).flatMap((key) => /^[^/]*\//.exec(key.slice(prefix.length))?.[0] ?? []);
    return [...new Set(folders)];
  }

  json(key: string): unknown {
    return JSON.parse(Buffer.from(this.objects.get(key)!).toString());
  }
}

/** The object store as one incarnation sees it. */
export class SimulatedStore implements ObjectStore {
  readonly #bucket: SimulatedBucket;
  readonly #life: Incarnation;

  constructor(bucket: SimulatedBucket, life: Incarnation) {
    this.#bucket = bucket;
    this.#life = life;
  }

  async put(key: string, body: ObjectBody, { ifAbsent = false }: PutOptions = {}): Promise<void> {
    if (!(body instanceof Uint8Array)) throw new Error('the simulation writes bytes only');
    await this.#write(`put ${key}`, key, () => {
      if (ifAbsent && this.#bucket.objects.has(key)) throw new LakeError('exists', `${key} is taken`, { key });
      this.#bucket.set(key, body);
    });
  }

  async copy(sourceKey: string, targetKey: string): Promise<void> {
    await this.#write(`copy ${targetKey}`, targetKey, () => {
      const bytes = this.#bucket.objects.get(sourceKey);
      if (bytes === undefined) throw new LakeError('no-such-key', `${sourceKey} is not there`, { key: sourceKey });
      this.#bucket.set(targetKey, bytes);
    });
  }

  async delete(key: string): Promise<void> {
    await this.#write(`delete ${key}`, key, () => this.#bucket.delete(key));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#read(`get ${key}`, () => this.#bucket.objects.get(key));
  }

  async size(key: string): Promise<number | undefined> {
    return await this.#read(`head ${key}`, () => this.#bucket.objects.get(key)?.byteLength);
  }

  async list(
    prefix: string,
    { startAfter = '', limit = 1000 }: CallOptions & { startAfter?: string; limit?: number } = {},
  ): Promise<string[]> {
    return await this.#read(`list ${prefix}`, () =>
      this.#bucket
        .keys(prefix)
        .filter((key) => key > startAfter)
        .slice(0, limit),
    );
  }

  async listFolders(prefix: string): Promise<string[]> {
    return await this.#life.effect(`list ${prefix}`, () => this.#bucket.folders(prefix));
  }

  async #read<T>(name: string, read: () => T): Promise<Awaited<T>> {
    const fault = this.#bucket.reads.shift();
    const answer = await this.#life.effect(name, () => {
      if (fault === 'failed') throw new LakeError('unavailable', `${name} was not answered`);
      return read();
    });
    if (fault === 'late') for (let turn = 0; turn < turnsOfLateRead; turn += 1) await tick();
    await this.#life.goesOn();
    return answer;
  }

  async #write(name: string, key: string, apply: () => void): Promise<void> {
    await this.#life.effect(name, () => {
      const fault = this.#bucket.plan(this.#bucket.writes, key);
      this.#bucket.writes += 1;
      switch (fault) {
        case undefined:
          apply();
          return;
        case 'refused':
          break;
        case 'answer-lost':
          apply();
          break;
        case 'applied-later':
          this.#bucket.delayed.push(quietly(apply));
          break;
        case 'applied-twice':
          this.#bucket.delayed.push(quietly(apply));
          apply();
          return;
        case 'conflict':
          throw new LakeError('exists', `a conflicting write to ${key}`, { key });
      }
      throw new LakeError('unavailable', `${name} was not answered (${fault})`, { key });
    });
  }
}

function quietly(apply: () => void): () => void {
  return () => {
    try {
      apply();
    } catch {
      // Its client is long gone.
    }
  };
}
