import { validatorFor } from '@millrace/contracts';
import { Type, type Static } from 'typebox';
import { parseStored } from './parse-stored.ts';

const offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const ranges = Type.Array(Type.Tuple([offset, offset], { minItems: 2 }));
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const landedFile = Type.Object({
  key: Type.String({ minLength: 1 }),
  staged: Type.String({ minLength: 1 }),
  dt: Type.String({ minLength: 1 }),
  rows: count,
  bytes: count,
  sha256,
  minTimestamp: Type.Integer(),
  maxTimestamp: Type.Integer(),
});

const rejectFile = Type.Object({ key: Type.String({ minLength: 1 }), staged: Type.String({ minLength: 1 }), count, bytes: count, sha256 });

const entrySchema = Type.Object({
  v: Type.Literal(1),
  id: Type.String({ minLength: 1 }),
  prev: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
  kind: Type.Union([Type.Literal('batch'), Type.Literal('gap')]),
  from: offset,
  to: offset,
  dropped: ranges,
  rejected: ranges,
  absent: ranges,
  files: Type.Array(landedFile),
  rejects: Type.Optional(rejectFile),
  last: Type.Optional(Type.Object({ offset, timestamp: Type.String(), eventId: Type.Optional(Type.String()) })),
  topic: Type.Object({ cluster: Type.String(), id: Type.Optional(Type.String()) }),
  writer: Type.String(),
  contract: Type.String(),
  reason: Type.Optional(Type.String()),
});

/**
 * The immutable record of one batch, or of a gap, in a lane's ledger.
 *
 * `from` and `to` bound the offsets [from, to); `prev` is the id of the entry whose `to` is this `from`, or null at 0.
 * `dropped` were duplicates by event id, `rejected` broke the contract and are in the reject file, `absent` never existed in
 * the topic (transaction markers, compaction). `last` is the last record present, by which a lane recognizes its log.
 * `reason` is the reason of a gap.
 */
export type LedgerEntry = Static<typeof entrySchema>;

/** A Parquet file that an entry names. */
export type LandedFile = Static<typeof landedFile>;

/** A reject file that an entry names. */
export type RejectFile = Static<typeof rejectFile>;

const validator = validatorFor(entrySchema);

/** Returns the bytes of an entry. The same entry always gives the same bytes, because a retry must send the same bytes again. */
export function entryBytes(entry: LedgerEntry): Uint8Array {
  return Buffer.from(`${JSON.stringify(entry)}\n`);
}

/**
 * Reads an entry.
 *
 * @throws LakeError `bad-entry` with the key and the fault
 */
export function parseEntry(key: string, bytes: Uint8Array): LedgerEntry {
  return parseStored(key, bytes, validator);
}

/** Lists the files of an entry, reject file included. The entry has landed when all exist. */
export function filesOf(
  entry: LedgerEntry,
): { readonly key: string; readonly staged: string; readonly bytes: number; readonly sha256: string }[] {
  return entry.rejects === undefined ? [...entry.files] : [...entry.files, entry.rejects];
}
