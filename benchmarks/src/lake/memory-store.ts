import { commitPrefix, LakeError, type ObjectBody, type ObjectStore, type PutOptions } from '@millrace/lake';

/** A store in memory that counts its calls. A LIST of the newest commit costs the same however many commits there are. */
export class MemoryStore implements ObjectStore {
  calls = 0;
  readonly #objects = new Map<string, Uint8Array>();
  /** Folders by the prefix above them: a real store does not scan every key for them. */
  readonly #folders = new Map<string, Set<string>>();
  readonly #commits: string;
  #newestCommit: string | undefined;

  constructor(table: string) {
    this.#commits = commitPrefix(table);
  }

  async put(key: string, body: ObjectBody, { ifAbsent = false }: PutOptions = {}): Promise<void> {
    this.calls += 1;
    if (!(body instanceof Uint8Array)) throw new LakeError('invalid', 'this store takes bytes only');
    if (ifAbsent && this.#objects.has(key)) throw new LakeError('exists', `${key} is taken`, { key });
    this.#objects.set(key, body);
    for (let at = key.indexOf('/'), above = ''; at !== -1; above = key.slice(0, at + 1), at = key.indexOf('/', at + 1)) {
      const folders = this.#folders.get(above) ?? new Set();
      this.#folders.set(above, folders.add(key.slice(above.length, at + 1)));
    }
    if (key.startsWith(this.#commits) && (this.#newestCommit === undefined || key < this.#newestCommit)) this.#newestCommit = key;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.calls += 1;
    return this.#objects.get(key);
  }

  async size(key: string): Promise<number | undefined> {
    this.calls += 1;
    return this.#objects.get(key)?.byteLength;
  }

  async copy(from: string, to: string): Promise<void> {
    const body = await this.get(from);
    if (body === undefined) throw new LakeError('no-such-key', `${from} is missing`, { key: from });
    this.#objects.set(to, body);
  }

  async delete(key: string): Promise<void> {
    this.calls += 1;
    this.#objects.delete(key);
  }

  async list(
    prefix: string,
    { limit = 1000, startAfter = '' }: { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<string[]> {
    this.calls += 1;
    if (prefix === this.#commits && limit === 1) return this.#newestCommit === undefined ? [] : [this.#newestCommit];
    return [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > startAfter)
      .toSorted()
      .slice(0, limit);
  }

  async listFolders(prefix: string): Promise<string[]> {
    this.calls += 1;
    return [...(this.#folders.get(prefix) ?? [])];
  }

  /** Removes an object without a call, as one that nothing reads any more. */
  forget(key: string): void {
    this.#objects.delete(key);
  }
}
