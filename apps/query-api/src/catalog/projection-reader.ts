import { TableFiles, type TableFilesParts, type TableSnapshot } from '@millrace/lake';

/** The Iceberg table of a base table, at its newest commit. */
export interface ProjectionState {
  readonly snapshot: TableSnapshot;
  readonly files: number;
  readonly rows: number;
  /** Size of the data files. */
  readonly bytes: number;
}

/** Reads the newest commit of the projection of one table and sums up its files. */
export class ProjectionReader {
  readonly #files: TableFiles;
  #known: ProjectionState | undefined;

  constructor(parts: TableFilesParts) {
    this.#files = new TableFiles(parts);
  }

  /** The table now. Undefined when there is no projection. */
  async read(signal: AbortSignal): Promise<ProjectionState | undefined> {
    const snapshot = await this.#files.newest({ signal });
    if (snapshot === undefined) return undefined;
    if (snapshot === this.#known?.snapshot) return this.#known;
    const files = await this.#files.filesIn(snapshot, () => true, { signal });
    this.#known = {
      snapshot,
      files: files.length,
      rows: files.reduce((sum, file) => sum + file.rows, 0),
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    };
    return this.#known;
  }
}
