import type { CallOptions, InspectableStore, ListedObject } from '@millrace/lake';
import type { SimulatedBucket } from '../parts/simulated-store.ts';

/** The bucket as an operator's audit reads it: without faults of the schedule, and read-only. */
export class BucketReader implements InspectableStore {
  readonly #bucket: SimulatedBucket;

  constructor(bucket: SimulatedBucket) {
    this.#bucket = bucket;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#bucket.objects.get(key);
  }

  async getRange(key: string, from: number, to: number): Promise<Uint8Array | undefined> {
    return this.#bucket.objects.get(key)?.subarray(from, to);
  }

  async size(key: string): Promise<number | undefined> {
    return this.#bucket.objects.get(key)?.byteLength;
  }

  async metadata(key: string): Promise<Readonly<Record<string, string>> | undefined> {
    return this.#bucket.objects.has(key) ? {} : undefined;
  }

  async list(prefix: string, options: CallOptions & { readonly startAfter?: string; readonly limit?: number } = {}): Promise<string[]> {
    return (await this.listSized(prefix, options)).map(({ key }) => key);
  }

  async listSized(
    prefix: string,
    { startAfter = '', limit = 1000 }: CallOptions & { readonly startAfter?: string; readonly limit?: number } = {},
  ): Promise<ListedObject[]> {
    return this.#bucket
      .keys(prefix)
      .filter((key) => key > startAfter)
      .slice(0, limit)
      .map((key) => ({ key, bytes: this.#bucket.objects.get(key)!.byteLength }));
  }

  async listFolders(prefix: string): Promise<string[]> {
    return this.#bucket.folders(prefix);
  }

  async put(): Promise<void> {
    throw new Error('an audit writes nothing');
  }

  async copy(): Promise<void> {
    throw new Error('an audit writes nothing');
  }

  async delete(): Promise<void> {
    throw new Error('an audit writes nothing');
  }
}
