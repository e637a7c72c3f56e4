import { chainEndOf, chainStart, faultsOf, filesOf, type LedgerEntry } from '@millrace/lake';
import type { LogRecord } from '../../kafka/log.ts';
import { rowsOf } from '../parts/memory-spool.ts';
import { ModelFault } from './model-fault.ts';
import type { World } from '../world/world.ts';
import { check } from '../world/writer.ts';

/** Watches a world, and checks the invariants that must hold at any time. */
export class Invariants {
  readonly #world: World;
  readonly #window: number;
  readonly #parsed = new Map<string, LedgerEntry>();
  /** Visible files as they were first seen. */
  readonly #seen = new Map<string, { readonly bytes: Uint8Array; readonly rows: readonly { _offset: number; event_id: string }[] }>();
  #version = -1;

  /** @param window length of the deduplication window in offsets */
  constructor(world: World, window: number) {
    this.#world = world;
    this.#window = window;
  }

  /**
   * Checks the world if an object has changed.
   *
   * @param log all records as they were written, including those that retention removed
   * @throws Error naming the violated invariant
   */
  look(log: readonly LogRecord[]): void {
    const { bucket } = this.#world;
    if (bucket.version === this.#version) return;
    this.#version = bucket.version;
    const entries = this.#entries();
    this.#isOnePath(entries);
    this.#onlyTheHeadIsUnlanded(entries);
    this.#isNamedAndNeverChanges(entries);
    this.#isThePrefixOf(log, entries);
  }

  #entries(): LedgerEntry[] {
    const { bucket } = this.#world;
    return bucket
      .keys('_ledger/')
      .map((key) => {
        const known = this.#parsed.get(key);
        if (known !== undefined) return known;
        const entry = bucket.json(key) as LedgerEntry;
        this.#parsed.set(key, entry);
        return entry;
      })
      .toReversed();
  }

  #isOnePath(entries: readonly LedgerEntry[]): void {
    let end = chainStart;
    for (const entry of entries) {
      const [fault] = faultsOf(entry, end);
      if (fault !== undefined) throw new ModelFault(`entry ${entry.id} of [${entry.from}, ${entry.to}) ${fault}`);
      end = chainEndOf(entry);
    }
  }

  #onlyTheHeadIsUnlanded(entries: readonly LedgerEntry[]): void {
    for (const entry of entries.slice(0, -1)) {
      for (const { key } of filesOf(entry))
        if (!this.#world.bucket.objects.has(key)) throw new ModelFault(`${key} is missing, and its entry is not the head`);
    }
  }

  #isNamedAndNeverChanges(entries: readonly LedgerEntry[]): void {
    const { objects } = this.#world.bucket;
    const named = new Map(entries.flatMap((entry) => entry.files.map((file) => [file.key, file.rows] as const)));
    for (const [key, bytes] of objects) {
      if (!key.startsWith('purchases/')) continue;
      const rows = named.get(key);
      if (rows === undefined) throw new ModelFault(`${key} is visible, and no entry names it`);
      const seen = this.#seen.get(key);
      if (seen === undefined) {
        const found = rowsOf(bytes);
        if (found.length !== rows) throw new ModelFault(`${key} has ${found.length} rows, its entry says ${rows}`);
        this.#seen.set(key, { bytes, rows: found });
      } else if (seen.bytes !== bytes && !Buffer.from(seen.bytes).equals(bytes)) {
        throw new ModelFault(`${key} has changed`);
      }
    }
    for (const key of this.#seen.keys()) if (!objects.has(key)) throw new ModelFault(`${key} was visible and is gone`);
  }

  /** The visible rows must equal those of the log over the landed entries: each row once, and no event twice within the window. */
  #isThePrefixOf(log: readonly LogRecord[], entries: readonly LedgerEntry[]): void {
    const landed = entries.filter((entry) => filesOf(entry).every(({ key }) => this.#world.bucket.objects.has(key)));
    const last = landed.length === entries.length ? entries.at(-1) : entries.at(-2);
    const expected = rowsByTheBook(log, chainEndOf(last).to, gapsOf(entries), this.#window);
    const visible = landed
      .flatMap((entry) => entry.files.flatMap(({ key }) => this.#seen.get(key)!.rows))
      .map(({ _offset: offset, event_id: eventId }) => ({ offset, text: `${offset}:${eventId}` }))
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ text }) => text);
    if (visible.join(' ') !== expected.join(' '))
      throw new ModelFault(`the table has ${visible.join(' ')}, and the log up to there gives ${expected.join(' ')}`);
  }
}

/** Offsets of a log. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** Ranges that the ledger records as missing from the log. */
export function gapsOf(entries: readonly LedgerEntry[]): OffsetRange[] {
  return entries.filter(({ kind }) => kind === 'gap');
}

/** The expected rows of [0, to) of a log without its gaps, as `offset:event id`. A plain list decides record by record. */
export function rowsByTheBook(log: readonly LogRecord[], to: number, gaps: readonly OffsetRange[], window: number): string[] {
  const kept: { offset: number; eventId: string }[] = [];
  for (const record of log) {
    if (record.offset >= to || gaps.some((gap) => record.offset >= gap.from && record.offset < gap.to)) continue;
    const result = check(record);
    if (result.kind !== 'row') continue;
    if (kept.some(({ offset, eventId }) => eventId === result.eventId && record.offset - offset <= window)) continue;
    kept.push({ offset: record.offset, eventId: result.eventId });
  }
  return kept.map(({ offset, eventId }) => `${offset}:${eventId}`);
}
