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
}
