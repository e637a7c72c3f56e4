import { beforeEach, expect, it } from 'vitest';
import { LakeError } from './errors.ts';
import type { ObjectStore, PutOptions } from './object-store.ts';
import { probeStore } from './store-probe.ts';

const prefix = '_probes/purchases/sink-1/';
let objects: Map<string, Uint8Array>;
let leftovers: unknown[];
let sound: ObjectStore;
beforeEach(() => {
  objects = new Map();
  leftovers = [];
  sound = {
    put: async (at: string, body: Uint8Array, { ifAbsent }: PutOptions = {}) => {
      if (ifAbsent === true && objects.has(at)) throw new LakeError('exists', 'PreconditionFailed');
      objects.set(at, body);
    },
    get: async (at: string) => objects.get(at),
    list: async (under: string) => [...objects.keys()].filter((one) => one.startsWith(under)),
    delete: async (at: string) => void objects.delete(at),
  } as unknown as ObjectStore;
});

const probe = async (store: ObjectStore): Promise<void> =>
  await probeStore({ store, prefix, n: 2, address: () => 'http://store:1', onLeftover: (error) => void leftovers.push(error) });
const changed = (change: Partial<ObjectStore>): ObjectStore => ({ ...sound, ...change });
const remains = 'exactly once cannot hold on it: use a store with conditional writes and strong consistency';

it('a store with conditional writes and strong consistency passes, and no object remains', async () => {
  await probe(sound);
  expect(objects.size).toBe(0);
});

it('a passed probe deletes objects of interrupted probes with the same prefix only', async () => {
  objects.set(`${prefix}1`, new Uint8Array());
  objects.set('_probes/purchases/sink-2/1', new Uint8Array());
  await probe(sound);
  expect([...objects.keys()]).toEqual(['_probes/purchases/sink-2/1']);
});

it('a first PUT that the network repeats is not a fault of the store', async () => {
  let sent = 0;
  const put: ObjectStore['put'] = async (at, body, options) => {
    await sound.put(at, body, options);
    sent += 1;
    if (sent === 1) await sound.put(at, body, options);
  };
  await probe(changed({ put }));
  expect(sent).toBe(1);
});

it.each<[string, (store: () => ObjectStore) => Partial<ObjectStore>, string]>([
  ['ignores the condition', (store) => ({ put: async (at, body) => await store().put(at, body) }), 'ignores If-None-Match'],
  [
    'refuses and writes all the same',
    (store) => ({
      put: async (at, body, options) => {
        const taken = objects.has(at);
        await store().put(at, body);
        if (taken && options?.ifAbsent === true) throw new LakeError('exists', 'PreconditionFailed');
      },
    }),
    'ignores If-None-Match, though it answers that the key exists',
  ],
  ['shows a write to no GET', () => ({ get: async () => undefined }), 'does not show a write to the next GET'],
  ['shows a write to no LIST', () => ({ list: async () => [] }), 'does not show a write to the next LIST'],
  [
    'knows no condition',
    () => ({ put: async () => await Promise.reject(new LakeError('invalid', 'NotImplemented')) }),
    'refuses If-None-Match (NotImplemented)',
  ],
])('a store that %s is unsound, and the message names the store', async (_what, change, fact) => {
  await expect(probe(changed(change(() => sound)))).rejects.toMatchObject({
    code: 'unsound-store',
    message: `the store at http://store:1 ${fact}; ${remains}`,
  });
  expect(objects.size).toBe(0);
});

it('an outage is not a verdict about the store', async () => {
  const outage = new LakeError('unavailable', 'no answer');
  await expect(probe(changed({ put: async () => await Promise.reject(outage) }))).rejects.toBe(outage);
  await expect(probe(changed({ list: async () => await Promise.reject(outage) }))).rejects.toBe(outage);
});

it('an object that cannot be deleted is reported and does not fail the probe', async () => {
  const denied = new LakeError('denied', 'AccessDenied');
  await probe(changed({ delete: async () => await Promise.reject(denied) }));
  expect(leftovers).toEqual([denied]);
});
