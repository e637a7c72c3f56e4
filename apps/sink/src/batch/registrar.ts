import type { CallOptions, ObjectStore, Patience } from '@millrace/lake';
import { partitionPrefix, tablePrefix, untilDone } from '@millrace/lake';
import type { Stream } from '@millrace/contracts';

/** The part of the catalog that the registrar needs. Two adapters: Glue, and the recording fake. */
export interface Catalog {
  register(values: readonly string[], options?: CallOptions): Promise<void>;
  partitions(options?: CallOptions): Promise<readonly { readonly value: string }[]>;
}

/**
 * Registers values of the partition key in the catalog. Durability does not depend on it: a batch has landed whether or not the catalog
 * answers. A failed registration is retried. {@link Registrar.reconcile} finds registrations that a crash between publish and register
 * omitted.
 */
export class Registrar {
  readonly #catalog: Catalog;
  readonly #patience: Patience;
  readonly #stop = new AbortController();
  readonly #onFailure: (error: unknown) => void;
  readonly #known = new Set<string>();
  readonly #wanted = new Set<string>();
  #working: Promise<void> | undefined;

  constructor(catalog: Catalog, patience: Patience, onFailure: (error: unknown) => void) {
    this.#catalog = catalog;
    this.#patience = patience;
    this.#onFailure = onFailure;
  }

  /** Values still to be registered. */
  get pending(): number {
    return this.#wanted.size;
  }

  /** Queues values for registration. Values that this process has already registered cost no call. */
  register(values: readonly string[]): void {
    for (const value of values) if (!this.#known.has(value)) this.#wanted.add(value);
    if (this.#wanted.size > 0) this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** Registers every value of the partition key that has files in the store and is missing in the catalog. */
  async reconcile(store: ObjectStore, stream: Stream, signal: AbortSignal): Promise<readonly string[]> {
    const folderPrefix = partitionPrefix(stream.table, stream.partitionKey, '').slice(tablePrefix(stream.table).length, -1);
    const folders = await store.listFolders(tablePrefix(stream.table), { signal });
    const registered = new Set((await this.#catalog.partitions({ signal })).map(({ value }) => value));
    const missing = folders
      .filter((folder) => folder.startsWith(folderPrefix))
      .map((folder) => folder.slice(folderPrefix.length, -1))
      .filter((value) => !registered.has(value));
    for (const value of missing) this.#known.delete(value);
    this.register(missing);
    return missing;
  }

  /** Waits until everything asked for is registered, or the signal aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    const abort = (): void => this.#stop.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await this.#working;
    } catch {
      // Aborted: the reconciler of the next start finds the missing values.
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Gives up the pending registrations. */
  stop(): void {
    this.#stop.abort(new Error('the registrar stops'));
  }

  async #work(): Promise<void> {
    const patience: Patience = {
      wait: async (attempt, error, signal) => {
        this.#onFailure(error);
        await this.#patience.wait(attempt, error, signal);
      },
    };
    try {
      while (this.#wanted.size > 0) {
        await untilDone(
          async () => {
            const values = [...this.#wanted];
            await this.#catalog.register(values, { signal: this.#stop.signal });
            for (const value of values) {
              this.#wanted.delete(value);
              this.#known.add(value);
            }
          },
          patience,
          this.#stop.signal,
          () => false,
        );
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#onFailure(error);
    }
  }
}
