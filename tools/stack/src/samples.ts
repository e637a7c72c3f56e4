import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { purchaseLimits, purchases, type BatchAnswer } from '@millrace/contracts';
import { GlueCatalog, isLanded, Ledger, S3ObjectStore, tableLedgerPrefix, type LedgerEntry } from '@millrace/lake';
import { StackError } from './errors.mjs';
import { lakeClients, rootOf } from './lake-setup.ts';
import { root, type Env } from './places.mjs';
import type { Settings } from './settings.ts';

/** A purchase that was acknowledged. */
export interface Acknowledged {
  readonly partition: number;
  readonly offset: number;
  /** When the 202 came, in milliseconds of a monotonic clock. */
  readonly at: number;
}

/** Times from the 202 of purchases until they were queryable. */
export interface Freshness {
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const itemsPerRequest = 500;
if (itemsPerRequest > purchaseLimits.batchItemsMax) throw new Error('the samples are posted in batches larger than the API takes');

/** The sample purchases, one JSON text each. */
export function readSamples(): string[] {
  return readFileSync(join(root, 'samples', 'purchases.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
}

/** Whether the table has a landed batch. */
export async function hasLandedRows(settings: Settings, env: Env): Promise<boolean> {
  const store = new S3ObjectStore(lakeClients(settings, env).s3, rootOf(settings.bucket, env));
  return (await store.list(tableLedgerPrefix(purchases.table), { limit: 1 })).length > 0;
}

/**
 * Posts the samples.
 *
 * @throws StackError when one is not accepted
 */
export async function postSamples(
  purchaseUrl: string,
  samples: readonly string[],
  onProgress: (posted: number) => void,
): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let start = 0; start < samples.length; start += itemsPerRequest) {
    const body = `[${samples.slice(start, start + itemsPerRequest).join(',')}]`;
    const response = await fetch(`${purchaseUrl}/v1/purchases/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await response.text();
    if (response.status !== 202)
      throw new StackError(`The purchase service answered ${response.status} to the samples: ${text.slice(0, 500)}`);
    const at = performance.now();
    for (const item of (JSON.parse(text) as BatchAnswer).items) {
      if ('problem' in item) throw new StackError(`A sample was refused: ${JSON.stringify(item.problem)}`);
      // A sample in the outbox has no offset yet, so its way cannot be timed.
      if (item.durability === 'kafka') acknowledged.push({ partition: item.partition, offset: Number(item.offset), at });
    }
    onProgress(acknowledged.length);
  }
  return acknowledged;
}

/**
 * Waits until every acknowledged purchase is queryable: its batch has landed and its partition is registered.
 *
 * @throws StackError when that takes longer than two minutes
 */
export async function awaitQueryable(
  settings: Settings,
  env: Env,
  acknowledged: readonly Acknowledged[],
  onProgress: (landed: number) => void,
): Promise<Freshness> {
  const { s3, glue } = lakeClients(settings, env);
  const store = new S3ObjectStore(s3, rootOf(settings.bucket, env));
  const catalog = new GlueCatalog(glue, purchases, rootOf(settings.bucket, env), undefined, settings.database);
  const waiting = new Map<number, Acknowledged[]>();
  for (const one of acknowledged) waiting.set(one.partition, [...(waiting.get(one.partition) ?? []), one]);
  const tookMs: number[] = [];
  const seen = new Set<string>();
  const deadline = performance.now() + 120_000;
  while (tookMs.length < acknowledged.length) {
    if (performance.now() > deadline)
      throw new StackError(
        `Only ${tookMs.length} of ${acknowledged.length} purchases were queryable after two minutes; ./millrace status shows the state of the sink.`,
      );
    const registered = new Set((await catalog.partitions()).map(({ value }) => value));
    for (const [partition, left] of waiting) {
      const head = await new Ledger(store, { table: purchases.table, topic: purchases.topic.name, partition }).head();
      if (head === undefined || seen.has(head.id) || !(await isQueryable(store, head, registered))) continue;
      seen.add(head.id);
      const now = performance.now();
      // Entries before the head have landed: an entry is recorded only then.
      for (const { offset, at } of left) if (offset < head.to) tookMs.push(now - at);
      waiting.set(
        partition,
        left.filter(({ offset }) => offset >= head.to),
      );
    }
    onProgress(tookMs.length);
    await pause(100);
  }
  return { events: tookMs.length, p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99) };
}

async function isQueryable(store: S3ObjectStore, entry: LedgerEntry, registered: ReadonlySet<string>): Promise<boolean> {
  return entry.files.every(({ dt }) => registered.has(dt)) && (await isLanded(store, entry));
}

/** The value below which the given share of the values lies (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
