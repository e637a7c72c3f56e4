import type { ManifestEntry, ManifestFile } from './manifest.ts';
import { entryStatus } from './manifest.ts';

/** Manifests of one size class that are merged into one of the next class. */
export const manifestsPerTier = 8;

/** Manifests of this class or above are not merged again: they hold 4,096 to 32,768 files, about 1 to 4 MB. */
const tierMax = 4;

/** Size class of a manifest: 8^tier files or more. */
export function tierOf({ added_files_count: added, existing_files_count: existing }: ManifestFile): number {
  return Math.floor(Math.log(Math.max(1, added + existing)) / Math.log(manifestsPerTier) + 1e-9);
}

/**
 * Chooses the manifests to merge, or none. A table of F files keeps at most 8 manifests per class below the largest, and each file's entry is
 * rewritten at most four times. So neither planning nor commits grow with the number of commits.
 */
export function manifestsToMerge(manifests: readonly ManifestFile[]): readonly ManifestFile[] {
  for (let tier = 0; tier < tierMax; tier += 1) {
    const same = manifests.filter((manifest) => tierOf(manifest) === tier);
    if (same.length >= manifestsPerTier) return same;
  }
  return [];
}

/**
 * The entries of a merged manifest. Files added by earlier snapshots become existing ones with the numbers that they had inherited; removed
 * files are left out. Entries are sorted by partition, so that similar ones compress well.
 */
export function mergedEntries(
  parts: readonly { readonly manifest: ManifestFile; readonly entries: readonly ManifestEntry[] }[],
): ManifestEntry[] {
  return parts
    .flatMap(({ manifest, entries }) =>
      entries
        .filter(({ status }) => status !== entryStatus.deleted)
        .map((entry): ManifestEntry => ({
          status: entryStatus.existing,
          snapshot_id: entry.snapshot_id ?? manifest.added_snapshot_id,
          sequence_number: entry.sequence_number ?? manifest.sequence_number,
          file_sequence_number: entry.file_sequence_number ?? manifest.sequence_number,
          data_file: entry.data_file,
        })),
    )
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

function orderOf({ data_file: file }: ManifestEntry): string {
  return Object.values(file.partition).join('/');
}
