import { LakeError, type CallOptions, type ObjectStore, type RewriteInput, type Rewriter, type Rewritten } from '@millrace/lake';

/** Merges files of the simulation: a merged file lists the files of the base whose rows it holds. */
export class SimulatedRewriter implements Rewriter {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async rewrite(_dt: string, inputs: readonly RewriteInput[], options: CallOptions): Promise<Rewritten> {
    const base: string[] = [];
    for (const { key } of inputs) {
      const bytes = await this.#store.get(key, options);
      if (bytes === undefined) throw new LakeError('file-lost', `${key} is missing`, { key });
      base.push(...baseFilesOf(key, bytes));
    }
    return { ...mergedOf(base), seconds: [0, 0], partitions: [0, 1], offsets: [0, 1], lostRows: 0, dispose: async () => undefined };
  }
}

function mergedOf(base: readonly string[]): Pick<Rewritten, 'body' | 'bytes' | 'rows'> {
  const body = Buffer.from(JSON.stringify(base));
  return { body, bytes: body.byteLength, rows: base.length };
}

/** The files of the base whose rows a data file holds. */
export function baseFilesOf(key: string, bytes: Uint8Array): string[] {
  return key.includes('/data/') ? (JSON.parse(Buffer.from(bytes).toString()) as string[]) : [key];
}

/** Merges all files but one. */
export class ForgetfulRewriter extends SimulatedRewriter {
  override async rewrite(dt: string, inputs: readonly RewriteInput[], options: CallOptions): Promise<Rewritten> {
    const made = await super.rewrite(dt, inputs, options);
    const base = baseFilesOf('/data/', made.body as Uint8Array).slice(1);
    return { ...made, ...mergedOf(base) };
  }
}
