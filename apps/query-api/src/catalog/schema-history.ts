import type { StreamDetail, Stream } from '@millrace/contracts';
import { CommitLog, parseMetadata, type ObjectStore } from '@millrace/lake';

/** Age up to which a history answers further requests, in milliseconds. */
const historyMsMax = 10_000;

/** Reads the schemas that the Iceberg table of a stream had. A schema is added when a field is added to the contract. */
export class SchemaHistory {
  readonly #store: Pick<ObjectStore, 'get' | 'list'>;
  readonly #log: CommitLog;
  readonly #now: () => number;
  #known: { readonly atMs: number; readonly history: StreamDetail['history'] } | undefined;

  constructor(store: Pick<ObjectStore, 'get' | 'list'>, stream: Pick<Stream, 'table'>, now: () => number) {
    this.#store = store;
    // Only commits are read here.
    this.#log = new CommitLog(store as ObjectStore, stream.table);
    this.#now = now;
  }

  /** The schemas, the newest first. Null without an Iceberg table. */
  async read(signal: AbortSignal): Promise<StreamDetail['history']> {
    if (this.#known !== undefined && this.#now() - this.#known.atMs < historyMsMax) return this.#known.history;
    const history = await this.#readNow(signal);
    this.#known = { atMs: this.#now(), history };
    return history;
  }

  async #readNow(signal: AbortSignal): Promise<StreamDetail['history']> {
    const commit = await this.#log.head(undefined, { signal });
    const bytes = commit === undefined ? undefined : await this.#store.get(commit.metadata, { signal });
    if (commit === undefined || bytes === undefined) return null;
    const { schemas, 'current-schema-id': current } = parseMetadata(commit.metadata, bytes);
    const ordered = schemas.toSorted((a, b) => a['schema-id'] - b['schema-id']);
    return ordered
      .map(({ 'schema-id': schema, fields }, n) => {
        const before = new Set(ordered[n - 1]?.fields.map(({ id }) => id) ?? fields.map(({ id }) => id));
        return {
          schema,
          isCurrent: schema === current,
          columns: fields.map(({ name, type }) => ({ name, type })),
          added: fields.filter(({ id }) => !before.has(id)).map(({ name }) => name),
        };
      })
      .toReversed();
  }
}
