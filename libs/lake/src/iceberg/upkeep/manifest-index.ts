import type { CallOptions } from '../../object-store.ts';
import { entryStatus, readManifest, type ManifestFile } from '../manifest.ts';
import { compactedPrefix, readCompactedKey } from '../projection-keys.ts';
import type { TableWriter } from '../table-writer.ts';
import { readNeeded, type Tip } from '../tip.ts';
import { isSmall, type CompactionLimits, type SmallFile } from './compaction-plan.ts';

/** The facts about one manifest that upkeep needs. */
interface Indexed {
  readonly small: readonly SmallFile[];
  /** Keys of the files that compaction wrote. */
  readonly compacted: readonly string[];
}

const readsAtOnce = 8;

/**
 * Remembers the small files and the compacted files of manifests. A manifest never changes, so each is read once. Memory: about 200 bytes for
 * each small file.
 */
export class ManifestIndex {
  readonly #table: Pick<TableWriter, 'parts' | 'uris'>;
  readonly #limits: CompactionLimits;
  readonly #known = new Map<string, Indexed>();

  constructor(table: Pick<TableWriter, 'parts' | 'uris'>, limits: CompactionLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  /**
   * The small files of a table. Manifests of the oldest days come first; once `filesMax` files are found, the others are left to a later pass.
   */
  async smallFiles({ manifests }: Tip, filesMax: number, options: CallOptions): Promise<SmallFile[]> {
    const ordered = manifests.toSorted((a, b) => (`${firstDay(a)} ${a.manifest_path}` < `${firstDay(b)} ${b.manifest_path}` ? -1 : 1));
    const files: SmallFile[] = [];
    for (let start = 0; start < ordered.length && files.length < filesMax; start += readsAtOnce)
      for (const { small } of await this.#read(ordered.slice(start, start + readsAtOnce), options)) files.push(...small);
    return files;
  }

  /** Keys of the compacted files that manifests hold. */
  async compactedFiles(manifests: readonly ManifestFile[], options: CallOptions): Promise<string[]> {
    const keys: string[] = [];
    for (let start = 0; start < manifests.length; start += readsAtOnce)
      for (const { compacted } of await this.#read(manifests.slice(start, start + readsAtOnce), options)) keys.push(...compacted);
    return keys;
  }

  /** Forgets every manifest that is not in use any more. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }

  async #read(manifests: readonly ManifestFile[], options: CallOptions): Promise<Indexed[]> {
    return await Promise.all(
      manifests.map(async ({ manifest_path: path }) => {
        const known = this.#known.get(path) ?? (await this.#index(path, options));
        this.#known.set(path, known);
        return known;
      }),
    );
  }

  async #index(path: string, options: CallOptions): Promise<Indexed> {
    const { parts, uris } = this.#table;
    const { table, partitionKey } = parts.stream;
    const small: SmallFile[] = [];
    const compacted: string[] = [];
    for (const { status, data_file: file } of await readManifest(await readNeeded(parts.store, uris.keyOf(path)!, options))) {
      if (status === entryStatus.deleted) continue;
      const key = uris.keyOf(file.file_path) ?? '';
      if (key.startsWith(compactedPrefix(table))) compacted.push(key);
      const generation = readCompactedKey(table, key)?.generation ?? 0;
      const one: SmallFile = {
        uri: file.file_path,
        manifest: path,
        dt: file.partition[partitionKey]!,
        generation,
        bytes: file.file_size_in_bytes,
        rows: file.record_count,
      };
      if (isSmall(one, this.#limits)) small.push(one);
    }
    return { small, compacted };
  }
}

function firstDay({ partitions }: ManifestFile): string {
  return partitions[0]?.lower_bound?.toString() ?? '';
}
