import { LakeError } from '../errors.ts';
import type { CallOptions, InspectableStore, ListedObject, ObjectBody, PutOptions } from '../object-store.ts';

/** A store in memory that counts its calls, so that a test can limit the calls of a reader. */
export class CountingStore implements InspectableStore {
  readonly objects = new Map<string, { bytes: Uint8Array; metadata: Readonly<Record<string, string>> }>();
  readonly calls = { put: 0, get: 0, head: 0, copy: 0, list: 0, delete: 0 };

  /** The calls so far, which start at zero again. */
  takeCalls(): Record<keyof CountingStore['calls'], number> {
    const taken = { ...this.calls };
    for (const call of Object.keys(this.calls)) this.calls[call as keyof CountingStore['calls']] = 0;
    return taken;
  }

  async put(key: string, body: ObjectBody, { ifAbsent = false, metadata = {} }: PutOptions = {}): Promise<void> {
    this.calls.put += 1;
    if (!(body instanceof Uint8Array)) throw new Error('this store takes bytes only');
    if (ifAbsent && this.objects.has(key)) throw new LakeError('exists', `${key} is taken`, { key });
    this.objects.set(key, { bytes: body, metadata });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.calls.get += 1;
    return this.objects.get(key)?.bytes;
  }

  async getRange(key: string, from: number, to: number): Promise<Uint8Array | undefined> {
    this.calls.get += 1;
    return this.objects.get(key)?.bytes.slice(from, to);
  }

  async size(key: string): Promise<number | undefined> {
    this.calls.head += 1;
    return this.objects.get(key)?.bytes.byteLength;
  }

  async metadata(key: string): Promise<Readonly<Record<string, string>> | undefined> {
    this.calls.head += 1;
    return this.objects.get(key)?.metadata;
  }

  async copy(sourceKey: string, targetKey: string): Promise<void> {
    this.calls.copy += 1;
    const object = this.objects.get(sourceKey);
    if (object === undefined) throw new LakeError('no-such-key', `${sourceKey} is not there`, { key: sourceKey });
    this.objects.set(targetKey, object);
  }

  async list(prefix: string, options: CallOptions & { startAfter?: string; limit?: number } = {}): Promise<string[]> {
    return (await this.listSized(prefix, options)).map(({ key }) => key);
  }

  async listSized(
    prefix: string,
    { startAfter = '', limit = 1000 }: CallOptions & { startAfter?: string; limit?: number } = {},
  ): Promise<ListedObject[]> {
    this.calls.list += 1;
    const found: ListedObject[] = [];
    for (const [key, { bytes }] of this.objects)
      if (key.startsWith(prefix) && key > startAfter) found.push({ key, bytes: bytes.byteLength });
    return found.toSorted((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
  }

  async listFolders(prefix: string): Promise<string[]> {
    this.calls.list += 1;
    const folders = new Set<string>();
    for (const key of this.objects.keys()) {
      const end = key.startsWith(prefix) ? key.indexOf('/', prefix.length) : -1;
      if (end >= 0) folders.add(key.slice(prefix.length, end + 1));
    }
    return [...folders].toSorted();
  }

  async delete(key: string): Promise<void> {
    this.calls.delete += 1;
    this.objects.delete(key);
  }
}
