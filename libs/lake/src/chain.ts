import type { LedgerEntry } from './entry.ts';
import { offsetsIn } from './ranges.ts';

/** The end of a lane's chain: the offset at which the next entry must start, and the id that it must name. */
export interface ChainEnd {
  readonly to: number;
  readonly id: string | null;
}

/** The end of an empty chain. Every chain starts at offset 0. */
export const chainStart: ChainEnd = { to: 0, id: null };

/** The end of a chain whose newest entry is `head`. */
export function chainEndOf(head: LedgerEntry | undefined): ChainEnd {
  return head === undefined ? chainStart : { to: head.to, id: head.id };
}

/** Counts of the offsets that an entry spans, by their fate. */
export interface Account {
  readonly spanned: number;
  readonly rows: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly absent: number;
  readonly gap: number;
}

/** Counts the offsets of an entry. */
export function accountOf(entry: LedgerEntry): Account {
  const spanned = entry.to - entry.from;
  return {
    spanned,
    rows: entry.files.reduce((sum, file) => sum + file.rows, 0),
    rejected: offsetsIn(entry.rejected),
    dropped: offsetsIn(entry.dropped),
    absent: offsetsIn(entry.absent),
    gap: entry.kind === 'gap' ? spanned : 0,
  };
}

/** Lists the faults of an entry, alone and as the successor of `end`. Empty when it extends the chain. */
export function faultsOf(entry: LedgerEntry, end: ChainEnd): string[] {
  const faults: string[] = [];
  if (entry.from !== end.to) faults.push(`starts at ${entry.from}, but the chain ends at ${end.to}`);
  if (entry.prev !== end.id) faults.push(`names ${entry.prev ?? 'nothing'} as its predecessor, which is ${end.id ?? 'nothing'}`);
  if (entry.to <= entry.from) faults.push(`spans no offset: [${entry.from}, ${entry.to})`);
  const { spanned, rows, rejected, dropped, absent, gap } = accountOf(entry);
  const told = rows + rejected + dropped + absent + gap;
  if (told !== spanned) faults.push(`accounts for ${told} of the ${spanned} offsets it spans`);
  if ((entry.rejects?.count ?? 0) !== rejected)
    faults.push(`names ${rejected} rejected offsets, but its reject file has ${entry.rejects?.count ?? 0}`);
  return faults;
}
