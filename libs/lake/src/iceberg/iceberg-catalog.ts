import { CreateTableCommand, GetTableCommand, UpdateTableCommand, type GlueClient, type TableInput } from '@aws-sdk/client-glue';
import type { Stream } from '@millrace/contracts';
import { awsErrorToLakeError, codeOfAwsError } from '../aws-errors.ts';
import { LakeError } from '../errors.ts';
import type { CatalogGuard } from '../glue-catalog.ts';
import type { CallOptions } from '../object-store.ts';
import { icebergFields } from './table-schema.ts';

/** A pointer as the catalog has it. */
export interface CatalogPointer {
  /** `s3://…` of a metadata file. Undefined when the table is not an Iceberg table. */
  readonly location: string | undefined;
  /** Changes with every update of the table; an update names the version that it replaces. */
  readonly version: string | undefined;
}

/** The pointer of a catalog to the newest metadata file of one table. Two adapters: Glue, and a fake whose calls can be delayed and lost. */
export interface PointerCatalog {
  /** Reads the pointer. Undefined when the catalog has no such table. */
  read(options?: CallOptions): Promise<CatalogPointer | undefined>;
  /**
   * Moves the pointer, if it is still the one that was read. Undefined creates the table.
   *
   * @throws LakeError `exists` when another writer moved it first
   */
  move(from: CatalogPointer | undefined, location: string, options?: CallOptions): Promise<void>;
}

/** Name in Glue of the Iceberg table over a table. */
export function icebergTableName(table: string): string {
  return `${table}_iceberg`;
}

/** The pointer in the Glue Data Catalog, as Athena, Trino, Spark and pyiceberg read it. */
export class GluePointer implements PointerCatalog {
  readonly #client: GlueClient;
  readonly #stream: Stream;
  readonly #location: string;
  readonly #guard: CatalogGuard;

  /**
   * @param client a client whose own retries are off
   * @param location `s3://…` of the projection's prefix
   * @param guard wraps every call
   */
  constructor(client: GlueClient, stream: Stream, location: string, guard: CatalogGuard = async (run, signal) => await run(signal)) {
    this.#client = client;
    this.#stream = stream;
    this.#location = location;
    this.#guard = guard;
  }

  async read(options: CallOptions = {}): Promise<CatalogPointer | undefined> {
    const { database, table } = this.#stream;
    return await this.#call('get the Iceberg table', options, async (sending) => {
      try {
        const answer = await this.#client.send(new GetTableCommand({ DatabaseName: database, Name: icebergTableName(table) }), sending);
        const { table_type: type, metadata_location: location } = answer.Table?.Parameters ?? {};
        return { location: type?.toUpperCase() === 'ICEBERG' ? location : undefined, version: answer.Table?.VersionId };
      } catch (error) {
        if (error instanceof Error && error.name === 'EntityNotFoundException') return undefined;
        throw error;
      }
    });
  }

  async move(from: CatalogPointer | undefined, location: string, options: CallOptions = {}): Promise<void> {
    const { database } = this.#stream;
    await this.#call('move the Iceberg table to its newest metadata', options, async (sending) => {
      const TableInput = this.#input(location, from?.location);
      try {
        if (from === undefined) await this.#client.send(new CreateTableCommand({ DatabaseName: database, TableInput }), sending);
        else {
          // Without SkipArchive, Glue keeps every version and refuses updates after 100,000 of them.
          const update = {
            DatabaseName: database,
            TableInput,
            SkipArchive: true,
            ...(from.version === undefined ? {} : { VersionId: from.version }),
          };
          await this.#client.send(new UpdateTableCommand(update), sending);
        }
      } catch (error) {
        const moved = error instanceof Error && error.name === 'ConcurrentModificationException';
        if (!moved && codeOfAwsError(error) !== 'exists') throw error;
        throw new LakeError('exists', 'Glue: another writer moved the Iceberg table first', { cause: error });
      }
    });
  }

  #input(location: string, previous: string | undefined): TableInput {
    return {
      Name: icebergTableName(this.#stream.table),
      TableType: 'EXTERNAL_TABLE',
      Parameters: {
        EXTERNAL: 'TRUE',
        table_type: 'ICEBERG',
        metadata_location: location,
        ...(previous === undefined ? {} : { previous_metadata_location: previous }),
      },
      StorageDescriptor: {
        Columns: icebergFields(this.#stream).map(({ name, type, doc }) => ({
          Name: name,
          Type: type === 'long' ? 'bigint' : type,
          ...(doc === undefined ? {} : { Comment: doc }),
        })),
        Location: this.#location,
      },
    };
  }

  async #call<T>(what: string, options: CallOptions, run: (sending: { abortSignal?: AbortSignal }) => Promise<T>): Promise<T> {
    return await this.#guard(async (signal) => {
      try {
        return await run(signal === undefined ? {} : { abortSignal: signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw awsErrorToLakeError(error, `Glue: ${what}`);
      }
    }, options.signal);
  }
}
