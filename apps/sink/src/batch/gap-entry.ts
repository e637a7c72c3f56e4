import type { ChainEnd, LedgerEntry } from '@millrace/lake';
import type { EntryContext } from './encode.ts';

/** The entry that records offsets which the log no longer held when they were to be read. */
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
