import type { LakeView } from '@millrace/testing';

/** Commits of the Iceberg table by their kind. */
export interface CommitCounts {
  readonly appends: number;
  readonly merges: number;
  /** Commits that only dropped snapshots. */
  readonly expiries: number;
}

interface Commit {
  readonly files: number;
  readonly rows: number;
}

/** Classifies commits by the totals before and after each. */
export function countCommits(commits: readonly Commit[]): CommitCounts {
  const kinds = commits.map(({ files, rows }, n) => {
    const before = commits[n - 1] ?? { files: 0, rows: 0 };
    if (rows !== before.rows) return 'append';
    return files === before.files ? 'expiry' : 'merge';
  });
  const of = (kind: string): number => kinds.filter((one) => one === kind).length;
  return { appends: of('append'), merges: of('merge'), expiries: of('expiry') };
}

/** The commits of a table and its objects that were seen and deleted since. Commits are never deleted, so each is read once. */
export class CommitHistory {
  readonly #view: LakeView;
  readonly #prefix: string;
  readonly #commits = new Map<number, Commit>();
  readonly #seen = new Map<string, 'metadata' | 'data'>();
  #present = new Set<string>();

  constructor(view: LakeView, table: string) {
    this.#view = view;
    this.#prefix = `_iceberg/${table}/`;
  }

  get counts(): CommitCounts {
    return countCommits([...this.#commits].toSorted(([a], [b]) => a - b).map(([, commit]) => commit));
  }

  /** Objects that were listed once and are gone, by folder. */
  get deleted(): { readonly metadata: number; readonly data: number } {
    const of = (folder: string): number => [...this.#seen].filter(([key, one]) => one === folder && !this.#present.has(key)).length;
    return { metadata: of('metadata'), data: of('data') };
  }

  /** Lists the objects of the table. */
  async list(): Promise<void> {
    const present = new Set<string>();
    for (const folder of ['metadata', 'data'] as const) {
      for (const { key } of await this.#view.objects(`${this.#prefix}${folder}/`)) {
        this.#seen.set(key, folder);
        present.add(key);
      }
    }
    this.#present = present;
  }

  /** Reads the commits that were made since. */
  async readCommits(): Promise<void> {
    const numbers = (await this.#view.objects(`${this.#prefix}commits/`)).map(({ key }) => ({
      key,
      n: Number(/-(\d+)\.json$/.exec(key)![1]),
    }));
    const fresh = numbers.filter(({ n }) => !this.#commits.has(n));
    for (const { key, n } of fresh) this.#commits.set(n, JSON.parse((await this.#view.read(key)).toString('utf8')) as Commit);
  }
}
