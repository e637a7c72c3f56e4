import { isLakeError, mapParallel, type InspectableStore } from '@millrace/lake';
import { beginPhase, type OperationOptions } from '../progress.ts';
import { callsAtOnce, keysUnder, storeClaims } from './store-claims.ts';

/** Options of {@link checkStore}. */
export interface CheckStoreOptions extends OperationOptions<'check'> {
  readonly store: InspectableStore;
  /** Prefix that no other program writes. It ends in `/`. Its objects are deleted in the end. */
  readonly prefix: string;
  /** Size of the large object in bytes, ≥ 1 MiB. */
  readonly largeBytes: number;
  /** Time in which a request without an answer may still take effect, in milliseconds. Default 1000. */
  readonly settleMs?: number;
  /** Epoch milliseconds. Default: the clock of the process. */
  readonly now?: () => number;
}

/** The outcome of one claim: it holds, the store refuted it, or a call failed for another reason and nothing is known. */
export interface CheckedClaim {
  readonly name: string;
  /** Whether exactly once depends on it. */
  readonly required: boolean;
  readonly outcome: 'holds' | 'refuted' | 'unknown';
  /** The fact that decides the outcome. */
  readonly detail: string;
}

/** The outcome of all claims. */
export interface StoreReport {
  readonly claims: readonly CheckedClaim[];
  /** `sound`: every required claim holds. `unsound`: the store refuted one. `unknown`: a required claim could not be tested. */
  readonly verdict: 'sound' | 'unsound' | 'unknown';
  /** Objects of the check that could not be deleted, the first thousand at most. */
  readonly leftovers: number;
}

/**
 * Tests an object store for the needs of the lake. It tests conditional writes under concurrency and after lost answers, and the
 * consistency of reads and lists. It also tests order and pages of lists, ranges, large objects, checksums, and the clock. It takes about
 * a minute on a local store.
 *
 * @throws LakeError `denied` or `misconfigured` when the store refuses the access itself
 */
export async function checkStore(options: CheckStoreOptions): Promise<StoreReport> {
  const { store, prefix, largeBytes, settleMs = 1000, now = Date.now, signal, onProgress } = options;
  const claims: CheckedClaim[] = [];
  const tell = beginPhase(onProgress, 'check', storeClaims.length);
  let leftovers = 0;
  try {
    for (const [index, { name, required, test }] of storeClaims.entries()) {
      tell(name);
      const under = `${prefix}${index}/`;
      try {
        claims.push({ name, required, outcome: 'holds', detail: await test({ store, prefix: under, largeBytes, settleMs, now, signal }) });
      } catch (error) {
        signal?.throwIfAborted();
        if (isRefusedAccess(error)) throw error;
        claims.push({
          name,
          required,
          outcome: isLakeError(error, 'unsound-store') ? 'refuted' : 'unknown',
          detail: (error as Error).message,
        });
      }
    }
  } finally {
    // Also after Ctrl-C.
    leftovers = await deleteAll(store, prefix);
  }
  return { claims, verdict: verdictOf(claims), leftovers };
}

function verdictOf(claims: readonly CheckedClaim[]): StoreReport['verdict'] {
  const outcomes = new Set(claims.filter(({ required }) => required).map(({ outcome }) => outcome));
  return outcomes.has('refuted') ? 'unsound' : outcomes.has('unknown') ? 'unknown' : 'sound';
}

function isRefusedAccess(error: unknown): boolean {
  return isLakeError(error, 'denied') || isLakeError(error, 'misconfigured');
}

/** Deletes every object that it can, and counts the others. */
async function deleteAll(store: InspectableStore, prefix: string): Promise<number> {
  try {
    await mapParallel(
      await keysUnder(store, prefix, new AbortController().signal),
      callsAtOnce,
      async (key) => await store.delete(key).catch(() => undefined),
    );
    return (await store.list(prefix)).length;
  } catch {
    // The store does not answer, which the claims state.
    return 0;
  }
}
