import type { AuditVerdict } from '@millrace/lake';
import { purchases } from '@millrace/contracts';
import type { LogRecord } from '../../kafka/log.ts';
import { BucketReader } from './bucket-reader.ts';
import { gapsOf, rowsByTheBook } from './invariants.ts';
import type { Makers } from '../world/makers.ts';
import { rowsOf } from '../parts/memory-spool.ts';
import { ModelFault } from './model-fault.ts';
import type { PlantedFault } from '../schedule.ts';
import type { World } from '../world/world.ts';

/** The verdict of an audit on the lane: `faulty`, or that its offsets [0, spanned) are accounted for, with or without known losses. */
export interface Claim {
  readonly verdict: AuditVerdict;
  readonly spanned: number;
  /** Offsets of the head when it is recorded and has not landed. */
  readonly unlanded: number;
  /** The first fault. */
  readonly fault: string;
}

/**
 * Audits the table and checks the verdict. If the verdict is not faulty, the table must have exactly the rows of the log without the known
 * gaps. If the verdict is complete, there must be no gap.
 *
 * @param isQuiet whether nothing lands meanwhile: then no row may be visible beyond the offsets that the audit covered
 * @throws Error when the verdict is wrong
 */
export async function auditedClaim(
  world: World,
  log: readonly LogRecord[],
  window: number,
  audit: Makers['audit'],
  isQuiet: boolean,
): Promise<Claim> {
  const { verdict, lanes, faults } = await audit({
    store: new BucketReader(world.bucket),
    stream: purchases,
    now: () => 0,
    rowsOf: async (store, key) => rowsOf((await store.get(key))!).length,
  });
  const { spanned, unlanded } = lanes[0] ?? { spanned: 0, unlanded: 0 };
  const claim: Claim = { verdict, spanned, unlanded, fault: faults[0]?.what ?? '' };
  if (verdict === 'faulty') return claim;

  const gaps = gapsOf(world.entries()).filter(({ from }) => from < spanned);
  if (verdict === 'complete' && gaps.length > 0)
    throw new ModelFault(`the audit calls [0, ${spanned}) complete, of which [${gaps[0]!.from}, ${gaps[0]!.to}) is a gap`);
  const visible = world
    .rows()
    .map(({ _offset: offset, event_id: eventId }) => ({ offset, text: `${offset}:${eventId}` }))
    .toSorted((a, b) => a.offset - b.offset);
  const found = visible.filter(({ offset }) => offset < spanned).map(({ text }) => text);
  const expected = rowsByTheBook(log, spanned, gaps, window);
  if (found.join(' ') !== expected.join(' '))
    throw new ModelFault(
      `the audit calls [0, ${spanned}) ${verdict}; the table has ${found.join(' ')} there, and the log gives ${expected.join(' ')}`,
    );
  const beyond = visible.find(({ offset }) => offset >= spanned + unlanded);
  if (isQuiet && beyond !== undefined)
    throw new ModelFault(`the audit speaks of [0, ${spanned + unlanded}), and a row of offset ${beyond.offset} is visible`);
  return claim;
}

/** Damages the table by hand. False when there is nothing to damage. */
export function plantFault({ bucket }: World, { what, which }: PlantedFault): boolean {
  const files = bucket.keys('purchases/');
  const choice = {
    'file-deleted': [...files, ...bucket.keys('_rejects/')],
    'row-deleted': files,
    'file-doubled': files,
    'entry-deleted': bucket.keys('_ledger/'),
  }[what];
  const key = choice[which % choice.length];
  if (key === undefined) return false;
  const bytes = Buffer.from(bucket.objects.get(key)!);
  switch (what) {
    case 'file-deleted':
    case 'entry-deleted':
      bucket.objects.delete(key);
      break;
    case 'row-deleted':
      bucket.set(key, bytes.subarray(0, bytes.lastIndexOf('\n', -2) + 1));
      break;
    case 'file-doubled':
      bucket.set(key.replace('.parquet', '-again.parquet'), bytes);
      break;
  }
  return true;
}
