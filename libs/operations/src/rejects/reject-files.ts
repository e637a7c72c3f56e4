import type { RecordHeader } from '@millrace/kafka';
import { allObjects, lanesOf, Ledger, rejectsPrefix, type LaneId, type LedgerEntry } from '@millrace/lake';
import { OperationError } from '../errors.ts';
import type { LakeObjects } from '../lake/open-lake.ts';

/** Number of reject files that are read concurrently. */
const readsAtOnce = 8;

/** A record that broke the contract, as the sink kept it. */
export interface RejectedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When Kafka took it, in milliseconds since the epoch. */
  readonly timestamp: string;
  /** Violation of the contract. */
  readonly reason: string;
  readonly key: Buffer | null;
  /** The original bytes. */
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** Set when the record belongs to a batch that cannot be decoded. The first reject of the batch holds its bytes. */
  readonly undecodable?: { readonly from: number; readonly to: number; readonly sha256: string; readonly batch?: string };
  /** Key of its reject file. */
  readonly file: string;
}

/** The name of a reject file. */
export interface RejectFileName {
  readonly key: string;
  readonly lane: LaneId;
  /** The batch it belongs to: offsets [from, to). */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  /** When the sink wrote it, in epoch milliseconds by the clock of S3. */
  readonly landedAtMs: number;
}

/** Lists the table's reject files, sorted by partition and offset. One LIST call returns a thousand. */
export async function listRejectFiles({ store, stream }: LakeObjects, signal: AbortSignal, partition?: number): Promise<RejectFileName[]> {
  const files: RejectFileName[] = [];
  for (const lane of await lanesOf(store, stream.table, { signal })) {
    if (partition !== undefined && lane.partition !== partition) continue;
    const prefix = rejectsPrefix(lane);
    for await (const { key, bytes, putAtMs = 0 } of allObjects(store, prefix, { signal })) {
      const match = /^(\d{1,16})-(\d{1,16})-[^/]+\.ndjson$/.exec(key.slice(prefix.length));
      if (match !== null) files.push({ key, lane, from: Number(match[1]), to: Number(match[2]), bytes, landedAtMs: putAtMs });
    }
  }
  return files.toSorted((a, b) => a.lane.partition - b.lane.partition || a.from - b.from);
}

/** Reads reject files a few at a time, and yields each with its records. */
export async function* readRejectFiles(
  { store }: Pick<LakeObjects, 'store'>,
  files: readonly RejectFileName[],
  signal: AbortSignal,
): AsyncGenerator<{ readonly file: RejectFileName; readonly records: readonly RejectedRecord[] }> {
  for (let start = 0; start < files.length; start += readsAtOnce) {
    yield* await Promise.all(
      files.slice(start, start + readsAtOnce).map(async (file) => {
        const bytes = await store.get(file.key, { signal });
        // A repair puts an empty file in the place of a lost one.
        return { file, records: bytes === undefined ? [] : parseRejects(file.key, bytes) };
      }),
    );
  }
}

/**
 * Reads the lines of a reject file.
 *
 * @throws OperationError `corrupt` when a line is not a reject
 */
export function parseRejects(key: string, bytes: Uint8Array): RejectedRecord[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, n) => {
      try {
        const { topic, partition, offset, timestamp, reason, key: recordKey, value, headers, undecodable } = JSON.parse(line) as RejectLine;
        return {
          topic,
          partition,
          offset,
          timestamp,
          reason,
          key: decoded(recordKey),
          value: decoded(value),
          headers: headersOf(headers),
          ...(undecodable === undefined ? {} : { undecodable }),
          file: key,
        };
      } catch {
        throw new OperationError(
          'corrupt',
          `Line ${n + 1} of ${key} is not a reject: someone changed the file. ./millrace audit --deep says whether it is the one its entry names.`,
        );
      }
    });
}

interface RejectLine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: string;
  readonly reason: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly RejectedHeader[] | Readonly<Record<string, string>>;
  readonly undecodable?: RejectedRecord['undecodable'];
}

interface RejectedHeader {
  readonly name?: string;
  /** The name, if it is not UTF-8. */
  readonly nameBase64?: string;
  readonly value: string | null;
}

// Files of earlier versions hold an object of base64.
function headersOf(headers: RejectLine['headers']): RecordHeader[] {
  if (!Array.isArray(headers))
    return Object.entries(headers as Readonly<Record<string, string>>).map(([name, value]) => ({
      name,
      value: Buffer.from(value, 'base64'),
    }));
  return (headers as readonly RejectedHeader[]).map(({ name, nameBase64, value }) => {
    const nameBytes = nameBase64 === undefined ? undefined : Buffer.from(nameBase64, 'base64');
    return { name: name ?? nameBytes?.toString('utf8') ?? '', ...(nameBytes === undefined ? {} : { nameBytes }), value: decoded(value) };
  });
}

function decoded(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}

/**
 * Returns a function that finds the reject at an offset. It returns undefined when no entry rejected the offset. It costs one LIST and two
 * GETs, and nothing for another reject of the same batch.
 */
export function rejectFinder(
  { store, stream }: LakeObjects,
  signal: AbortSignal,
): (partition: number, offset: number) => Promise<RejectedRecord | undefined> {
  let last: { readonly partition: number; readonly entry: LedgerEntry; readonly records: readonly RejectedRecord[] } | undefined;
  return async (partition, offset) => {
    if (last?.partition !== partition || offset < last.entry.from || offset >= last.entry.to) {
      const entry = await new Ledger(store, { table: stream.table, topic: stream.topic.name, partition }).entryHolding(offset, { signal });
      if (entry?.rejects === undefined) return undefined;
      const bytes = await store.get(entry.rejects.key, { signal });
      last = { partition, entry, records: bytes === undefined ? [] : parseRejects(entry.rejects.key, bytes) };
    }
    return last.records.find((record) => record.offset === offset);
  };
}
