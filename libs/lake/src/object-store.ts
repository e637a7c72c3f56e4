import { isLakeError } from './errors.ts';

/** Body of a PUT: bytes, or a file on disk that no longer changes. */
export type ObjectBody = Uint8Array | { readonly path: string; readonly bytes: number };

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call. A write whose call was aborted may still take effect. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a PUT. */
export interface PutOptions extends CallOptions {
  /** Refuses with `exists` when the key has an object (`If-None-Match: *`). Default false. */
  readonly ifAbsent?: boolean;
  /** SHA-256 of the body in hex; the store checks it. */
  readonly sha256?: string;
  /** User metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly contentType?: string;
}

/**
 * The object store under the lake: strongly consistent, with put-if-absent. Two adapters: S3, and a fake whose requests can be
 * delayed, lost and doubled.
 *
 * Every method throws {@link LakeError}; `unavailable` and `denied` leave the outcome of a write unknown.
 */
export interface ObjectStore {
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<void>;
  /** The object's bytes, or undefined when it is not there. */
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>;
  /** The object's size in bytes, or undefined when it is not there. */
  size(key: string, options?: CallOptions): Promise<number | undefined>;
  /**
   * Copies an object. It replaces an object at the destination.
   *
   * @throws LakeError `no-such-key` when the source is not there
   */
  copy(sourceKey: string, targetKey: string, options?: CallOptions): Promise<void>;
  /** Keys under a prefix in ascending order, at most `limit` of them (1–1000, default 1000). */
  list(prefix: string, options?: CallOptions & { readonly startAfter?: string; readonly limit?: number }): Promise<string[]>;
  /** The next path parts under a prefix that ends in `/`, each with its `/`. */
  listFolders(prefix: string, options?: CallOptions): Promise<string[]>;
  /** Deletes an object. A missing object is not an error. */
  delete(key: string, options?: CallOptions): Promise<void>;
}

/** An object as a LIST names it. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  /** Time of the PUT in epoch milliseconds, by the clock of the store. Absent if the store does not report it. */
  readonly putAtMs?: number;
}

/** An object store with the calls of the audit: sizes by LIST, parts of objects, user metadata. */
export interface InspectableStore extends ObjectStore {
  /** As {@link ObjectStore.list}, with each object's size. */
  listSized(prefix: string, options?: CallOptions & { readonly startAfter?: string; readonly limit?: number }): Promise<ListedObject[]>;
  /** The bytes [from, to) of an object, or undefined when it is not there. */
  getRange(key: string, from: number, to: number, options?: CallOptions): Promise<Uint8Array | undefined>;
  /** The object's user metadata, or undefined when it is not there. */
  metadata(key: string, options?: CallOptions): Promise<Readonly<Record<string, string>> | undefined>;
}

/** Every key under a prefix, page by page. */
export async function* allKeys(store: ObjectStore, prefix: string, options: CallOptions = {}): AsyncGenerator<string> {
  let startAfter: string | undefined;
  for (;;) {
    const page = await store.list(prefix, startAfter === undefined ? options : { ...options, startAfter });
    yield* page;
    if (page.length < 1000) return;
    startAfter = page.at(-1)!;
  }
}

/** Every object under a prefix with its size, page by page. */
export async function* allObjects(
  store: Pick<InspectableStore, 'listSized'>,
  prefix: string,
  options: CallOptions = {},
): AsyncGenerator<ListedObject> {
  let startAfter: string | undefined;
  for (;;) {
    const page = await store.listSized(prefix, startAfter === undefined ? options : { ...options, startAfter });
    yield* page;
    if (page.length < 1000) return;
    startAfter = page.at(-1)!.key;
  }
}

/** Writes an object unless its key has one. Tells whether the key was free. */
export async function putIfAbsent(
  store: Pick<ObjectStore, 'put'>,
  key: string,
  body: ObjectBody,
  options: Omit<PutOptions, 'ifAbsent'> = {},
): Promise<boolean> {
  try {
    await store.put(key, body, { ...options, ifAbsent: true });
    return true;
  } catch (error) {
    if (isLakeError(error, 'exists')) return false;
    throw error;
  }
}

/** Tells whether an object is there and has exactly these bytes. */
export async function hasBytes(
  store: Pick<ObjectStore, 'get'>,
  key: string,
  bytes: Uint8Array,
  options: CallOptions = {},
): Promise<boolean> {
  const found = await store.get(key, options);
  return found !== undefined && Buffer.compare(found, bytes) === 0;
}
