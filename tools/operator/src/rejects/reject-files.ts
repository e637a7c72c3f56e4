import type { RecordHeader } from '@millrace/kafka';
import { allKeys, lanesOf, Ledger, rejectsPrefix, type LaneId, type LedgerEntry } from '@millrace/lake';
import { OperatorError } from '../errors.ts';
import type { Lake } from '../open-lake.ts';

/** Reject files that are read at once. */
const readsAtOnce = 8;

/** A record that broke the contract, as the sink kept it. */
export interface RejectedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When Kafka took it, in milliseconds since the epoch. */
  readonly timestamp: string;
  /** What is wrong with it. */
  readonly reason: string;
  readonly key: Buffer | null;
  /** The original bytes. */
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** Set where the record belongs to a batch that cannot be decoded; its bytes stand with the batch's first reject. */
  readonly undecodable?: { readonly from: number; readonly to: number; readonly sha256: string; readonly batch?: string };
  /** Key of the file it stands in. */
  readonly file: string;
}

/** A reject file, by its name. */
export interface RejectFileName {
  readonly key: string;
  readonly lane: LaneId;
  /** The batch it belongs to: offsets [from, to). */
  readonly from: number;
  readonly to: number;
}

/** The table's reject files, by partition and offset. One LIST for every thousand. */
export async function listRejectFiles({ store, stream }: Lake, signal: AbortSignal, partition?: number): Promise<RejectFileName[]> {
  const files: RejectFileName[] = [];
  for (const lane of await lanesOf(store, stream.table, { signal })) {
    if (partition !== undefined && lane.partition !== partition) continue;
    const prefix = rejectsPrefix(lane);
    for await (const key of allKeys(store, prefix, { signal })) {
      const match = /^(\d{1,16})-(\d{1,16})-[^/]+\.ndjson$/.exec(key.slice(prefix.length));
      if (match !== null) files.push({ key, lane, from: Number(match[1]), to: Number(match[2]) });
    }
  }
  return files.toSorted((a, b) => a.lane.partition - b.lane.partition || a.from - b.from);
}

/** Reads reject files a few at a time, and yields each with its records. */
export async function* readRejectFiles({ store }: Lake, files: readonly RejectFileName[], signal: AbortSignal): AsyncGenerator<{ readonly file: RejectFileName; readonly records: readonly RejectedRecord[] }> {
  for (let start = 0; start < files.length; start += readsAtOnce) {
    yield* await Promise.all(
      files.slice(start, start + readsAtOnce).map(async (file) => {
        const bytes = await store.get(file.key, { signal });
        // An empty one stands where one was lost.
        return { file, records: bytes === undefined ? [] : parseRejects(file.key, bytes) };
      }),
    );
  }
}

/**
 * Reads the lines of a reject file.
 *
 * @throws OperatorError when a line is none
 */
export function parseRejects(key: string, bytes: Uint8Array): RejectedRecord[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, n) => {
      try {
        const { topic, partition, offset, timestamp, reason, key: recordKey, value, headers, undecodable } = JSON.parse(line) as RejectLine;
        return { topic, partition, offset, timestamp, reason, key: decoded(recordKey), value: decoded(value), headers: headersOf(headers), ...(undecodable === undefined ? {} : { undecodable }), file: key };
      } catch {
        throw new OperatorError(`Line ${n + 1} of ${key} is no reject: someone changed the file. ./millrace audit --deep says whether it is the one its entry names.`);
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
  /** The name, where it is not UTF-8. */
  readonly nameBase64?: string;
  readonly value: string | null;
}

// Files of earlier versions hold an object of base64.
function headersOf(headers: RejectLine['headers']): RecordHeader[] {
  if (!Array.isArray(headers)) return Object.entries(headers as Readonly<Record<string, string>>).map(([name, value]) => ({ name, value: Buffer.from(value, 'base64') }));
  return (headers as readonly RejectedHeader[]).map(({ name, nameBase64, value }) => {
    const nameBytes = nameBase64 === undefined ? undefined : Buffer.from(nameBase64, 'base64');
    return { name: name ?? nameBytes?.toString('utf8') ?? '', ...(nameBytes === undefined ? {} : { nameBytes }), value: decoded(value) };
  });
}

function decoded(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}

/** Finds the reject at an offset; undefined when no entry rejected it. One LIST and two GETs, and none for another reject of the same batch. */
export function rejectFinder({ store, stream }: Lake, signal: AbortSignal): (partition: number, offset: number) => Promise<RejectedRecord | undefined> {
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
