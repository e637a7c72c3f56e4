import type { ObjectStore } from '@millrace/lake';
import { KeptValues } from '../kept-values.ts';
import { readManifest } from './read-result.ts';
import { manifestKey, type ResultManifest } from './result-manifest.ts';

/** Maximum number of manifests in memory. Each has up to 64 kB of rows. */
const manifestsMax = 128;
/** Maximum number of parts of a manifest in memory. */
const partsMax = 16;

/** The manifests of recent results. They never change, so a repeated answer needs no call of S3. */
export class KeptManifests {
  readonly #manifests = new KeptValues<string, { readonly manifest: ResultManifest; readonly until: number }>(manifestsMax);
  readonly #keptMs: number;
  readonly #now: () => number;

  /**
   * @param keptMs time for which a manifest is taken from memory, in milliseconds. A deleted result is gone from the answers after it
   * @param now epoch milliseconds
   */
  constructor(keptMs: number, now: () => number) {
    this.#keptMs = keptMs;
    this.#now = now;
  }

  /** Reads the manifest of a result, and fails as {@link readManifest}. */
  async read(store: Pick<ObjectStore, 'get'>, queryId: string, signal?: AbortSignal): Promise<ResultManifest> {
    const kept = this.#find(queryId);
    if (kept !== undefined) return kept;
    const manifest = await readManifest(store, queryId, signal);
    if (manifest.parts.length <= partsMax) this.#manifests.keep(queryId, { manifest, until: this.#now() + this.#keptMs });
    return manifest;
  }

  /** Whether the result of a query still exists. */
  async isKept(store: Pick<ObjectStore, 'size'>, queryId: string, signal: AbortSignal): Promise<boolean> {
    return this.#find(queryId) !== undefined || (await store.size(manifestKey(queryId), { signal })) !== undefined;
  }

  #find(queryId: string): ResultManifest | undefined {
    const kept = this.#manifests.get(queryId);
    return kept !== undefined && this.#now() < kept.until ? kept.manifest : undefined;
  }
}
