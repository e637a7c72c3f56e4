import {
  commitPrefix,
  isLakeError,
  metadataPrefix,
  type CatalogPointer,
  type ObjectBody,
  type ObjectStore,
  type PutOptions,
} from '@millrace/lake';
import { purchases } from '@millrace/contracts';
import { tick } from '../../simulation/parts/tick.ts';
import { PacedStore } from './paced-store.ts';
import { soundProjector, type ProjectorMakers } from './projection-world.ts';
import { SimulatedCatalog } from './simulated-catalog.ts';

const commits = commitPrefix(purchases.table);

async function atOnce(): Promise<void> {
  await Promise.resolve();
}

function overriding(store: ObjectStore, overrides: Partial<ObjectStore>): ObjectStore {
  const base = new PacedStore(store, atOnce);
  return Object.assign(base, overrides);
}

/** Moves the pointer whoever moved it since it was read. */
class BlindCatalog extends SimulatedCatalog {
  protected override apply(_from: CatalogPointer | undefined, location: string): void {
    this.pointer.location = location;
    this.pointer.version += 1;
  }
}

/** Takes a foreign pointer for one that is not there, and puts the own one in its place. */
class ForgetfulCatalog extends SimulatedCatalog {
  override async read(): Promise<CatalogPointer | undefined> {
    const pointer = await super.read();
    return pointer?.location?.includes('foreign') === true ? undefined : pointer;
  }

  protected override apply(from: CatalogPointer | undefined, location: string): void {
    super.apply(from ?? (this.pointer.version === 0 ? undefined : { location, version: String(this.pointer.version) }), location);
  }
}

/** The projector without one rule, by the name of that rule. The model must detect each omission. */
export const brokenProjectors: Readonly<Record<string, ProjectorMakers>> = {
  'put if absent decides': {
    ...soundProjector,
    store: (store) =>
      overriding(store, {
        put: async (key: string, body: ObjectBody, options?: PutOptions) => await store.put(key, body, { ...options, ifAbsent: false }),
      }),
  },
  'a commit without an answer is read back': {
    ...soundProjector,
    store: (store) =>
      overriding(store, {
        put: async (key: string, body: ObjectBody, options?: PutOptions) => {
          await store.put(key, body, options).catch((error: unknown) => {
            if (!key.startsWith(commits) || !isLakeError(error, 'unavailable')) throw error;
          });
        },
      }),
  },
  'the position is that of the newest commit': {
    ...soundProjector,
    store: (store) => {
      let position: unknown;
      return overriding(store, {
        get: async (key: string) => {
          const bytes = await store.get(key);
          if (bytes === undefined || !key.startsWith(commits)) return bytes;
          const commit = JSON.parse(Buffer.from(bytes).toString()) as { position: unknown };
          position ??= commit.position;
          return Buffer.from(JSON.stringify({ ...commit, position }));
        },
      });
    },
  },
  'the head must have landed': {
    ...soundProjector,
    store: (store) => overriding(store, { size: async (key: string) => (await store.size(key)) ?? 10 }),
  },
  'every object exists before its commit': {
    ...soundProjector,
    store: (store) =>
      overriding(store, {
        put: async (key: string, body: ObjectBody, options?: PutOptions) => {
          if (!key.startsWith(metadataPrefix(purchases.table))) return await store.put(key, body, options);
          void (async () => {
            for (let turn = 0; turn < 20; turn += 1) await tick();
            await store.put(key, body, options);
          })().catch(() => undefined);
        },
      }),
  },
  'the pointer moves only from the version that was read': {
    ...soundProjector,
    catalog: (pointer, life, pause) => new BlindCatalog(pointer, life, pause),
  },
  'a foreign commit stops the projector': {
    ...soundProjector,
    catalog: (pointer, life, pause) => new ForgetfulCatalog(pointer, life, pause),
  },
};
