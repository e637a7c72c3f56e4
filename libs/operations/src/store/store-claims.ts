import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasBytes, isLakeError, LakeError, mapParallel, putIfAbsent, type InspectableStore } from '@millrace/lake';
import { counted } from '../numbers.ts';

/** Parameters of the test of a claim. */
export interface ClaimedStore {
  readonly store: InspectableStore;
  /** Prefix of the claim's objects. It ends in `/`. */
  readonly prefix: string;
  /** Size of the large object in bytes. */
  readonly largeBytes: number;
  /** Time in which a request without an answer may still take effect, in milliseconds. */
  readonly settleMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** A claim about a store. */
export interface StoreClaim {
  readonly name: string;
  /** Whether exactly once depends on it. */
  readonly required: boolean;
  /**
   * Tests it. Resolves with the evidence.
   *
   * @throws LakeError `unsound-store` with the fact when the store refutes it; any other error proves nothing
   */
  readonly test: (claimed: ClaimedStore) => Promise<string>;
}

/** Rounds of a claim that chance may hide. */
const rounds = 40;
/** Writers that compete for one key. */
const writersAtOnce = 8;
/** Clock difference between the store and this machine that is allowed, in milliseconds. */
const skewMsMax = 60_000;
/** Calls to the store at the same time, for many objects. */
export const callsAtOnce = 16;
/** Two pages of LIST, which has a thousand keys on each. */
const listed = 1050;

/** The claims, in the order of the report. */
export const storeClaims: readonly StoreClaim[] = [
  { name: 'a second put-if-absent is refused', required: true, test: refusesSecond },
  { name: 'of concurrent put-if-absents exactly one wins', required: true, test: hasOneWinner },
  { name: 'a put-if-absent whose answer was lost is decided once', required: true, test: decidesLostAnswers },
  { name: 'GET, HEAD and LIST see each write and deletion at once', required: true, test: readsWrites },
  { name: 'LIST gives every key once, in byte order, page by page', required: true, test: listsInOrder },
  { name: 'ranges give exactly their bytes', required: true, test: readsRanges },
  { name: 'a large object keeps its size and its bytes', required: true, test: keepsLargeObjects },
  { name: 'a copy has the bytes of its source', required: true, test: copies },
  { name: 'user metadata is kept', required: true, test: keepsMetadata },
  { name: 'a body that contradicts its SHA-256 is refused', required: false, test: refusesWrongChecksum },
  { name: 'the clock of the store agrees with this machine', required: false, test: agreesOnTime },
];

async function refusesSecond({ store, prefix, signal }: ClaimedStore): Promise<string> {
  const key = `${prefix}key`;
  const first = bodyOf('first');
  await putNew(store, key, first, signal);
  refuteIf(await putIfAbsent(store, key, bodyOf('second'), { signal }), 'If-None-Match was ignored: a second write succeeded');
  refuteIf(!(await hasBytes(store, key, first, { signal })), 'the second write was refused, and replaced the object nevertheless');
  return 'the first object stayed';
}

async function hasOneWinner({ store, prefix, signal }: ClaimedStore): Promise<string> {
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    const key = `${prefix}${round}`;
    const bodies = Array.from({ length: writersAtOnce }, (_, writer) => bodyOf(`writer ${writer}`));
    const won = await Promise.all(bodies.map(async (body) => await putIfAbsent(store, key, body, { signal })));
    const winners = won.flatMap((didWin, writer) => (didWin ? [writer] : []));
    refuteIf(winners.length > 1, `${winners.length} of ${writersAtOnce} concurrent writers succeeded`);
    refused += writersAtOnce - winners.length;
    // Every writer may be refused because of another. Then one attempt more must succeed, unless one of them was written.
    if (winners.length === 0) await putIfAbsent(store, key, bodies[0]!, { signal });
    const found = await store.get(key, { signal });
    const owner = bodies.findIndex((body) => found !== undefined && body.equals(found));
    refuteIf(owner === -1, 'the object of the winner is not there');
    refuteIf(winners.length === 1 && owner !== winners[0], 'the object is that of a refused writer');
  }
  return `${rounds} times ${writersAtOnce} writers; ${counted(refused, 'write')} refused`;
}

async function decidesLostAnswers({ store, prefix, settleMs, signal }: ClaimedStore): Promise<string> {
  const began = performance.now();
  await putNew(store, `${prefix}timed`, randomBytes(256 * 1024), signal);
  const usualMs = Math.max(performance.now() - began, 2);
  const owners: { readonly key: string; readonly body: Buffer }[] = [];
  let lost = 0;
  for (let round = 0; round < rounds; round += 1) {
    const key = `${prefix}${round}`;
    const [first, second] = [randomBytes(256 * 1024), bodyOf('second')];
    const cut = AbortSignal.timeout(Math.ceil((usualMs * (round + 1) * 1.5) / rounds));
    const wasAnswered = await putIfAbsent(store, key, first, { signal: AbortSignal.any([signal, cut]) }).catch(() => undefined);
    signal.throwIfAborted();
    if (wasAnswered === undefined) lost += 1;
    const secondWon = await putIfAbsent(store, key, second, { signal });
    refuteIf(wasAnswered === true && secondWon, 'an acknowledged object was replaced');
    owners.push({ key, body: secondWon ? second : first });
  }
  // A request that was cut off may still take effect.
  await delay(settleMs, undefined, { signal });
  for (const { key, body } of owners)
    refuteIf(!(await hasBytes(store, key, body, { signal })), 'a write whose answer was lost replaced a later one');
  return `${lost} of ${rounds} answers were lost; no object changed afterwards`;
}

async function readsWrites({ store, prefix, signal }: ClaimedStore): Promise<string> {
  for (let round = 0; round < rounds; round += 1) {
    const key = `${prefix}${round}`;
    for (const body of [bodyOf(`first ${round}`), bodyOf(`a longer second ${round}`)]) {
      await store.put(key, body, { signal });
      refuteIf(!(await hasBytes(store, key, body, { signal })), 'a GET after a PUT gave something else');
      refuteIf((await store.size(key, { signal })) !== body.byteLength, 'a HEAD after a PUT gave another size');
      const [entry] = await store.listSized(key, { signal, limit: 1 });
      refuteIf(entry?.key !== key || entry.bytes !== body.byteLength, 'a LIST after a PUT lacked the object, or had another size');
    }
    await store.delete(key, { signal });
    refuteIf((await store.get(key, { signal })) !== undefined, 'a GET after a DELETE gave the object');
    refuteIf((await store.list(key, { signal })).length > 0, 'a LIST after a DELETE had the object');
  }
  return `${rounds} objects, each written twice and deleted`;
}

async function listsInOrder({ store, prefix, signal }: ClaimedStore): Promise<string> {
  // As the ledger and the table name their objects. The folders differ in their order by byte, by letter and as folders of a disk.
  const under = ['Topic', 'topic', 'topic-2', 'topic.v1', 'topic=1', 'topic_2'];
  const names = Array.from(
    { length: listed },
    (_, n) => `${under[n % under.length]!}/p=${n % 7}/dt=2026-01-0${(n % 9) + 1}/${String(n * 7919).padStart(9, '0')}`,
  );
  await mapParallel(names, callsAtOnce, async (name) => await store.put(`${prefix}${name}`, bodyOf(name), { signal }));
  const expected = names.map((name) => `${prefix}${name}`).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const found = await keysUnder(store, prefix, signal);
  refuteIf(found.length !== expected.length, `${found.length} of ${expected.length} keys were listed`);
  refuteIf(
    found.some((key, index) => key !== expected[index]),
    'the keys were not in the order of their bytes',
  );
  const folders = await store.listFolders(prefix, { signal });
  refuteIf(
    folders.toSorted().join('') !==
      under
        .map((name) => `${name}/`)
        .toSorted()
        .join(''),
    `the folders were ${folders.join(' ')}`,
  );
  return `${counted(listed, 'key')} on 2 pages, ${counted(folders.length, 'folder')}`;
}

async function readsRanges({ store, prefix, signal }: ClaimedStore): Promise<string> {
  const key = `${prefix}object`;
  const body = randomBytes(1024 * 1024);
  await store.put(key, body, { signal });
  const ranges: readonly (readonly [number, number])[] = [
    [0, 1],
    [0, 1000],
    [65_535, 65_537],
    [500_000, 700_001],
    [body.length - 8, body.length],
    [0, body.length],
  ];
  for (const [from, to] of ranges) {
    const part = await store.getRange(key, from, to, { signal });
    refuteIf(part === undefined || !body.subarray(from, to).equals(part), `the bytes from ${from} to ${to} of ${body.length} were others`);
  }
  return `${counted(ranges.length, 'range')} of 1 MiB`;
}

async function keepsLargeObjects({ store, prefix, largeBytes, signal }: ClaimedStore): Promise<string> {
  const key = `${prefix}object`;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-store-'));
  try {
    const path = join(folder, 'object');
    const block = randomBytes(1024 * 1024);
    const sha256 = createHash('sha256');
    const blocks = Math.ceil(largeBytes / block.length);
    for (let n = 0; n < blocks; n += 1) {
      block.writeUInt32BE(n);
      sha256.update(block);
      await writeFile(path, block, { flag: 'a', signal });
    }
    const bytes = blocks * block.length;
    await store.put(key, { path, bytes }, { sha256: sha256.digest('hex'), signal });
    const size = await store.size(key, { signal });
    refuteIf(size !== bytes, `${bytes} bytes were written, and the object has ${size}`);
    for (const n of [0, Math.floor(blocks / 2), blocks - 1]) {
      block.writeUInt32BE(n);
      const part = await store.getRange(key, n * block.length, (n + 1) * block.length, { signal });
      refuteIf(part === undefined || !block.equals(part), `the bytes of MiB ${n} were others`);
    }
    return `${blocks} MiB in one PUT`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copies({ store, prefix, signal }: ClaimedStore): Promise<string> {
  const [source, target] = [`${prefix}dt=2026-01-01/source`, `${prefix}dt=2026-01-02/target`];
  const body = randomBytes(64 * 1024);
  await store.put(source, body, { signal });
  await store.put(target, bodyOf('before'), { signal });
  await store.copy(source, target, { signal });
  refuteIf(!(await hasBytes(store, target, body, { signal })), 'the copy has other bytes');
  return 'over an existing object';
}

async function keepsMetadata({ store, prefix, signal }: ClaimedStore): Promise<string> {
  const key = `${prefix}object`;
  await store.put(key, bodyOf('object'), { metadata: { 'batch-id': '0a1b' }, signal });
  const metadata = await store.metadata(key, { signal });
  refuteIf(metadata?.['batch-id'] !== '0a1b', `it was ${JSON.stringify(metadata)}`);
  return 'one value';
}

async function refusesWrongChecksum({ store, prefix, signal }: ClaimedStore): Promise<string> {
  const key = `${prefix}object`;
  const sha256 = createHash('sha256').update('something else').digest('hex');
  const wasTaken = await store.put(key, bodyOf('object'), { sha256, signal }).then(
    () => true,
    () => false,
  );
  signal.throwIfAborted();
  refuteIf(wasTaken, 'it was written: damage on the way to the store stays unseen until an audit');
  refuteIf((await store.get(key, { signal })) !== undefined, 'it was refused, and written nevertheless');
  return 'nothing was written';
}

async function agreesOnTime({ store, prefix, now, signal }: ClaimedStore): Promise<string> {
  const key = `${prefix}object`;
  const before = now();
  await store.put(key, bodyOf('object'), { signal });
  const after = now();
  const [entry] = await store.listSized(key, { signal, limit: 1 });
  if (entry?.putAtMs === undefined) throw refuted('a LIST gives no time of the write');
  // S3 gives whole seconds.
  const skewMs = Math.max(before - 1000 - entry.putAtMs, entry.putAtMs - after, 0);
  refuteIf(
    skewMs > skewMsMax,
    `they differ by ${Math.round(skewMs / 1000)} s; ages of objects and limits of their deletion are wrong by that`,
  );
  return skewMs === 0 ? 'no difference' : `they differ by ${(skewMs / 1000).toFixed(1)} s`;
}

function refuted(fact: string): LakeError {
  return new LakeError('unsound-store', fact);
}

function refuteIf(condition: boolean, fact: string): void {
  if (condition) throw refuted(fact);
}

function bodyOf(text: string): Buffer {
  return Buffer.from(`${text} ${randomBytes(8).toString('hex')}`);
}

/** The first write of a key. A store that does not know the condition refuses it. */
async function putNew(store: InspectableStore, key: string, body: Buffer, signal: AbortSignal): Promise<void> {
  try {
    await putIfAbsent(store, key, body, { signal });
  } catch (error) {
    if (isLakeError(error, 'invalid')) throw refuted(`If-None-Match is not known: ${error.message}`);
    throw error;
  }
}

/** Every key under a prefix. It ends even on a store that gives the same page again. */
export async function keysUnder(store: InspectableStore, prefix: string, signal: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  const seen = new Set<string>();
  for (;;) {
    const startAfter = keys.at(-1);
    const page = await store.list(prefix, startAfter === undefined ? { signal } : { signal, startAfter });
    keys.push(...page);
    const last = page.at(-1);
    if (page.length < 1000 || last === undefined || seen.has(last)) return keys;
    for (const key of page) seen.add(key);
  }
}
