import type { CallOptions, ObjectBody, ObjectStore, PutOptions } from '@millrace/lake';

/** Waits before each call for some turns, so that the calls of two projectors interleave in every order. */
export class PacedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #pause: () => Promise<void>;

  constructor(store: ObjectStore, pause: () => Promise<void>) {
    this.#store = store;
    this.#pause = pause;
  }

  async put(key: string, body: ObjectBody, options?: PutOptions): Promise<void> {
    await this.#paced(async () => await this.#store.put(key, body, options));
  }

  async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return await this.#paced(async () => await this.#store.get(key, options));
  }

  async size(key: string, options?: CallOptions): Promise<number | undefined> {
    return await this.#paced(async () => await this.#store.size(key, options));
  }

  async copy(sourceKey: string, targetKey: string, options?: CallOptions): Promise<void> {
    await this.#paced(async () => await this.#store.copy(sourceKey, targetKey, options));
  }

  async list(prefix: string, options?: CallOptions & { startAfter?: string; limit?: number }): Promise<string[]> {
    return await this.#paced(async () => await this.#store.list(prefix, options));
  }

  async listFolders(prefix: string, options?: CallOptions): Promise<string[]> {
    return await this.#paced(async () => await this.#store.listFolders(prefix, options));
  }

  async delete(key: string, options?: CallOptions): Promise<void> {
    await this.#paced(async () => await this.#store.delete(key, options));
  }

  async #paced<T>(call: () => Promise<T>): Promise<T> {
    await this.#pause();
    return await call();
  }
}
