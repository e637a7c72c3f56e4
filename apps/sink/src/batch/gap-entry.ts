import type { ChainEnd, LedgerEntry } from '@millrace/lake';
import type { EntryContext } from './encode.ts';

/** Makes the entry that records offsets which left the log before the sink read them. */
export function gapEntry(id: string, end: ChainEnd, to: number, { cluster, writer, stream }: EntryContext): LedgerEntry {
  return {
    v: 1,
    id,
    prev: end.id,
    kind: 'gap',
    from: end.to,
    to,
    dropped: [],
    rejected: [],
    absent: [],
    files: [],
    topic: { cluster },
    writer,
    contract: stream.contract,
    reason: 'the log no longer held these offsets when they were to be read',
  };
}
