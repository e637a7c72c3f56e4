import {
  commitKey,
  commitOfMetadataKey,
  commitPrefix,
  isLakeError,
  metadataPrefix,
  type CatalogPointer,
  type ObjectBody,
  type ObjectStore,
  type PutOptions,
  type TableAccess,
  type Tip,
} from '@millrace/lake';
import { purchases } from '@millrace/contracts';
import { tick } from '../../simulation/parts/tick.ts';
import { PacedStore } from './parts/paced-store.ts';
import { soundProjector, type ProjectorMakers } from './world/projection-world.ts';
import { ForgetfulRewriter } from './parts/simulated-rewriter.ts';
import { SimulatedCatalog } from './parts/simulated-catalog.ts';

const commits = commitPrefix(purchases.table);

async function atOnce(): Promise<void> {
  await Promise.resolve();
}

function overriding(store: ObjectStore, overrides: Partial<ObjectStore>): ObjectStore {
  const base = new PacedStore(store, atOnce);
  return Object.assign(base, overrides);
}

/** Moves the pointer even if another writer moved it since it was read. */
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

function accessing(table: TableAccess, overrides: Partial<TableAccess>): TableAccess {
  const base: TableAccess = {
    parts: table.parts,
    uris: table.uris,
    read: async (options) => await table.read(options),
    commit: async (plan, options) => await table.commit(plan, options),
    announced: async (newest, options) => await table.announced(newest, options),
  };
  return { ...base, ...overrides };
}

/** The tip with another number of its commit. */
function numbered(tip: Tip | undefined, n: number): Tip | undefined {
  return tip === undefined ? undefined : { ...tip, commit: { ...tip.commit, n } };
}

/** The rules of compaction and deletion. */
const brokenUpkeep: Readonly<Record<string, ProjectorMakers>> = {
  'a merge holds each row of its inputs': { ...soundProjector, rewriter: (store) => new ForgetfulRewriter(store) },
  'a merge counts only while the table holds its inputs': {
    ...soundProjector,
    compacting: (table) => {
      let planned: Tip | undefined;
      return accessing(table, {
        read: async (options) => (planned = await table.read(options)),
        // The number is right: only the files are those of the plan.
        commit: async (plan, options) => await table.commit(async (tip) => await plan(numbered(planned, tip?.commit.n ?? 0)), options),
      });
    },
  },
  'a merge is not added after its last commit': {
    ...soundProjector,
    compacting: (table) =>
      accessing(table, { commit: async (plan, options) => await table.commit(async (tip) => await plan(numbered(tip, 0)), options) }),
  },
  'a merge whose commit may still be applied keeps its file': {
    ...soundProjector,
    compacting: (table) =>
      accessing(table, { commit: async (plan, options) => await table.commit(plan, options).catch(() => 'idle' as const) }),
  },
  'a sweep leaves objects that a later commit may name': {
    ...soundProjector,
    sweeping: (table) => accessing(table, { read: async (options) => numbered(await table.read(options), 1_000_000) }),
  },
  'a sweep waits for the readers': { ...soundProjector, graceMs: 0 },
  'a sweep leaves objects that the catalog names': {
    ...soundProjector,
    sweeping: (table) => accessing(table, { announced: async () => [] }),
  },
  'a sweep leaves the commits': {
    ...soundProjector,
    store: (store) =>
      overriding(store, {
        delete: async (key: string) => {
          await store.delete(key);
          const n = commitOfMetadataKey(purchases.table, key);
          if (n !== undefined) await store.delete(commitKey(purchases.table, n));
        },
      }),
  },
};

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
  ...brokenUpkeep,
};
