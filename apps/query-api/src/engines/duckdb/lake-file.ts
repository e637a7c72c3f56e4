import type { Stream } from '@millrace/contracts';

/** One file of a table as the lake has it. Files never change: a key belongs to one content. */
export interface LakeFile {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  /** Value of the partition that the file belongs to. */
  readonly partition: string;
}

/** A table and those of its files that a statement may need. */
export interface LakeTable {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly partitionKey: string;
  readonly files: readonly LakeFile[];
  /** Whether a file may lack columns. DuckDB then reads the columns of every file before a statement, so it takes longer. */
  readonly hasOlderFiles: boolean;
}

/** Whether a table may have files of an earlier revision of its contract. Those lack the columns that were added later. */
export function mayHaveOlderFiles({ contract }: Pick<Stream, 'contract'>): boolean {
  return !contract.endsWith('/1');
}
