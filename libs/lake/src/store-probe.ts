import { isLakeError, LakeError } from './errors.ts';
import { hasBytes, putIfAbsent, type ObjectStore } from './object-store.ts';

/** Dependencies of {@link probeStore}. */
export interface StoreProbe {
  readonly store: ObjectStore;
  /** Prefix that only this process writes. It ends in `/`. */
  readonly prefix: string;
  /** Number of the probe. Each probe needs a key that was never written. */
  readonly n: number;
  /** Address of the store, for the message. */
  readonly address: () => string;
  readonly signal?: AbortSignal | undefined;
  /** Called when the probe's object could not be deleted. The object does no harm. */
  readonly onLeftover: (error: unknown) => void;
}

const encoder = new TextEncoder();

/**
 * Probes a store for the requirements of the ledger. The store must refuse a second PUT with `If-None-Match`; without that, two sinks write
 * every row twice. A GET and a LIST must see a write at once; without that, a sink does not see the entries of another.
 *
 * @throws LakeError `unsound-store` when the store fails the probe; any other error of a call, which proves nothing about the store
 */
export async function probeStore({ store, prefix, n, address, signal, onLeftover }: StoreProbe): Promise<void> {
  const key = `${prefix}${n}`;
  const [first, second] = ['first', 'second'].map((word) => encoder.encode(`${word} ${key}`)) as [Uint8Array, Uint8Array];
  const unsound = (fact: string): LakeError =>
    new LakeError(
      'unsound-store',
      `the store at ${address()} ${fact}; exactly once cannot hold on it: use a store with conditional writes and strong consistency`,
      { key },
    );
  try {
    // If the network repeats the request, the first answer is a refusal although the object exists.
    await putIfAbsent(store, key, first, { signal });
  } catch (error) {
    if (isLakeError(error, 'invalid')) throw unsound(`refuses If-None-Match (${error.message})`);
    throw error;
  }
  try {
    if (!(await hasBytes(store, key, first, { signal }))) throw unsound('does not show a write to the next GET');
    const listed = await store.list(prefix, { signal });
    if (!listed.includes(key)) throw unsound('does not show a write to the next LIST');
    if (await putIfAbsent(store, key, second, { signal })) throw unsound('ignores If-None-Match');
    if (!(await hasBytes(store, key, first, { signal }))) throw unsound('ignores If-None-Match, though it answers that the key exists');
    // An interrupted probe may have left its object.
    for (const earlier of listed) if (earlier !== key) await store.delete(earlier, { signal }).catch(onLeftover);
  } finally {
    await store.delete(key, { signal }).catch(onLeftover);
  }
}
