import { purchases } from '@millrace/contracts';
import type { LedgerEntry } from '@millrace/lake';

/** The entry of a batch without duplicates, rejects and gaps. */
export function benchEntry(range: Pick<LedgerEntry, 'id' | 'from' | 'to'>, prev: string | null, files: LedgerEntry['files']): LedgerEntry {
  return {
    v: 1,
    ...range,
    prev,
    kind: 'batch',
    dropped: [],
    rejected: [],
    absent: [],
    files,
    topic: { cluster: 'bench' },
    writer: 'bench',
    contract: purchases.contract,
  };
}
