import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LakeError, type InspectableStore, type ObjectBody } from '@millrace/lake';
import { beforeEach, expect, it } from 'vitest';
import { checkStore, type StoreReport } from './check-store.ts';

interface Kept {
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly putAtMs: number;
}

let objects: Map<string, Kept>;
let sound: InspectableStore;
beforeEach(() => {
  objects = new Map();
  const keys = (prefix: string): string[] => [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  sound = {
    async put(key, body, { ifAbsent = false, sha256, metadata = {}, signal } = {}) {
      const bytes = await bytesOf(body);
      await delay(1, undefined, { signal });
      if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) throw new LakeError('invalid', 'BadDigest');
      if (ifAbsent && objects.has(key)) throw new LakeError('exists', 'PreconditionFailed');
      objects.set(key, { bytes, metadata, putAtMs: Date.now() });
    },
    get: async (key) => objects.get(key)?.bytes,
    size: async (key) => objects.get(key)?.bytes.length,
    getRange: async (key, from, to) => objects.get(key)?.bytes.subarray(from, to),
    metadata: async (key) => objects.get(key)?.metadata,
    copy: async (source, target) => void objects.set(target, objects.get(source)!),
    list: async (prefix, options) => (await sound.listSized(prefix, options)).map(({ key }) => key),
    listSized: async (prefix, { startAfter = '', limit = 1000 } = {}) =>
      keys(prefix)
        .filter((key) => key > startAfter)
        .slice(0, limit)
        .map((key) => ({ key, bytes: objects.get(key)!.bytes.length, putAtMs: objects.get(key)!.putAtMs })),
    listFolders: async (prefix) => [...new Set(keys(prefix).flatMap((key) => /^[^/]*\//.exec(key.slice(prefix.length))?.[0] ?? []))],
    delete: async (key) => void objects.delete(key),
  };
});

const check = async (faults: Partial<InspectableStore> = {}): Promise<StoreReport> =>
  await checkStore({
    store: { ...sound, ...faults },
    prefix: '_probes/check/',
    largeBytes: 2 * 1024 * 1024,
    settleMs: 400,
    signal: new AbortController().signal,
  });
const unheld = ({ claims }: StoreReport): string[] =>
  claims.filter(({ outcome }) => outcome !== 'holds').map(({ name, outcome, detail }) => `${outcome}: ${name}: ${detail}`);

it('every claim holds on a sound store, and no object remains', async () => {
  const report = await check();
  expect(unheld(report)).toEqual([]);
  expect(report).toMatchObject({ verdict: 'sound', leftovers: 0 });
  expect(objects.size).toBe(0);
});

/** A wrong store each, and the claims that it refutes. */
const wrongStores: Readonly<Record<string, [fault: () => Partial<InspectableStore>, refuted: readonly string[]]>> = {
  'ignores If-None-Match': [
    () => ({ put: async (key, body, options = {}) => await sound.put(key, body, { ...options, ifAbsent: false }) }),
    [
      'a second put-if-absent is refused',
      'of concurrent put-if-absents exactly one wins',
      'a put-if-absent whose answer was lost is decided once',
    ],
  ],
  'looks for the key before it takes the body': [
    () => ({
      async put(key, body, options = {}) {
        if (options.ifAbsent === true && objects.has(key)) throw new LakeError('exists', 'PreconditionFailed');
        await sound.put(key, body, { ...options, ifAbsent: false });
      },
    }),
    ['of concurrent put-if-absents exactly one wins'],
  ],
  'applies a request late whose client is gone': [
    () => ({
      async put(key, body, options = {}) {
        options.signal?.addEventListener(
          'abort',
          () => setTimeout(() => void bytesOf(body).then((bytes) => objects.set(key, { bytes, metadata: {}, putAtMs: 0 })), 300),
          { once: true },
        );
        if (options.ifAbsent === true && body instanceof Uint8Array && body.length > 1000)
          await delay(50, undefined, { signal: options.signal });
        await sound.put(key, body, options);
      },
    }),
    ['a put-if-absent whose answer was lost is decided once'],
  ],
  'shows a deleted object': [() => ({ delete: async () => undefined }), ['GET, HEAD and LIST see each write and deletion at once']],
  'lists one page only': [
    () => ({
      listSized: async (prefix, options) => (options?.startAfter === undefined ? await sound.listSized(prefix, options) : []),
      list: async (prefix, options) => (options?.startAfter === undefined ? await sound.list(prefix, options) : []),
    }),
    ['LIST gives every key once, in byte order, page by page'],
  ],
  'ignores where a page starts': [
    () => ({ list: async (prefix, { limit = 1000 } = {}) => await sound.list(prefix, { limit }) }),
    ['LIST gives every key once, in byte order, page by page'],
  ],
  'lists by letter': [
    () => ({
      async list(prefix, { startAfter, limit = 1000 } = {}) {
        const byLetter = [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted((a, b) => a.localeCompare(b));
        return byLetter.slice(startAfter === undefined ? 0 : byLetter.indexOf(startAfter) + 1).slice(0, limit);
      },
    }),
    ['LIST gives every key once, in byte order, page by page'],
  ],
  'gives a byte too many': [
    () => ({ getRange: async (key, from, to) => await sound.getRange(key, from, to + 1) }),
    ['ranges give exactly their bytes', 'a large object keeps its size and its bytes'],
  ],
  'cuts large objects': [
    () => ({
      async put(key, body, options) {
        const bytes = await bytesOf(body);
        await sound.put(key, body, options);
        if (bytes.length > 1_500_000) objects.set(key, { ...objects.get(key)!, bytes: bytes.subarray(0, 1_500_000) });
      },
    }),
    ['a large object keeps its size and its bytes'],
  ],
  'copies nothing': [() => ({ copy: async () => undefined }), ['a copy has the bytes of its source']],
  'forgets metadata': [() => ({ metadata: async () => ({}) }), ['user metadata is kept']],
};

it.each(Object.entries(wrongStores))('a store that %s is unsound', async (_, [fault, refuted]) => {
  const report = await check(fault());
  expect(report.verdict).toBe('unsound');
  expect(report.claims.filter(({ outcome }) => outcome === 'refuted').map(({ name }) => name)).toEqual(refuted);
});

it('a store without checksums or with another clock is sound, and the report names both', async () => {
  const report = await check({
    put: async (key, body, { ifAbsent = false, metadata = {} } = {}) => await sound.put(key, body, { ifAbsent, metadata }),
    listSized: async (prefix, options) =>
      (await sound.listSized(prefix, options)).map((entry) => ({ ...entry, putAtMs: entry.putAtMs! - 3_600_000 })),
  });
  expect(report.verdict).toBe('sound');
  expect(unheld(report)).toEqual([
    expect.stringMatching(/^refuted: a body that contradicts its SHA-256 is refused: it was written/),
    expect.stringMatching(/^refuted: the clock of the store agrees with this machine: they differ by 3\d{3} s/),
  ]);
});

it('a claim whose calls fail is unknown, and the other claims are tested', async () => {
  const report = await check({ copy: async () => await Promise.reject(new LakeError('unavailable', 'S3 does not answer')) });
  expect(unheld(report)).toEqual(['unknown: a copy has the bytes of its source: S3 does not answer']);
  expect(report.verdict).toBe('unknown');
});

it('refused access ends the check with its error', async () => {
  const denied = check({ put: async () => await Promise.reject(new LakeError('denied', 'AccessDenied')) });
  await expect(denied).rejects.toMatchObject({ code: 'denied' });
});

async function bytesOf(body: ObjectBody): Promise<Buffer> {
  return body instanceof Uint8Array ? Buffer.from(body) : await readFile(body.path);
}
