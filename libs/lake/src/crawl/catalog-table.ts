import {
  BatchUpdatePartitionCommand,
  CreateTableCommand,
  GetTableCommand,
  UpdateTableCommand,
  type GlueClient,
  type Table,
  type TableInput,
} from '@aws-sdk/client-glue';
import { awsErrorToLakeError } from '../aws-errors.ts';
import { deprecatedParameter, type CatalogGuard, type CatalogPartition } from '../glue-catalog.ts';
import type { CallOptions } from '../object-store.ts';
import type { TypedColumn } from './schema-difference.ts';

/** A table of Glue as a crawler reads and changes it. */
export interface CrawledTable {
  readonly columns: readonly TypedColumn[];
  readonly location: string;
  readonly isDeprecated: boolean;
  /** As Glue returned it: the base of the next update. */
  readonly table: Table;
}

/** Reads one table of Glue, and changes its columns and parameters. Partitions are the catalog's, see `GlueCatalog`. */
export class CatalogTable {
  readonly #client: GlueClient;
  readonly #database: string;
  readonly #name: string;
  readonly #guard: CatalogGuard;

  /**
   * @param client a client of Glue
   * @param name the table's name in Glue
   * @param guard wraps every call
   */
  constructor(client: GlueClient, database: string, name: string, guard: CatalogGuard = async (run, signal) => await run(signal)) {
    this.#client = client;
    this.#database = database;
    this.#name = name;
    this.#guard = guard;
  }

  /** The table; undefined when Glue has none of this name. */
  async read(options: CallOptions = {}): Promise<CrawledTable | undefined> {
    const table = await this.#call('get table', options, async (sending) => {
      try {
        return (await this.#client.send(new GetTableCommand({ DatabaseName: this.#database, Name: this.#name }), sending)).Table;
      } catch (error) {
        if (error instanceof Error && error.name === 'EntityNotFoundException') return undefined;
        throw error;
      }
    });
    if (table === undefined) return undefined;
    const columns = (table.StorageDescriptor?.Columns ?? []).map(({ Name = '', Type = '' }) => ({ name: Name, type: Type }));
    const isDeprecated = table.Parameters?.[deprecatedParameter] !== undefined;
    return { columns, location: table.StorageDescriptor?.Location ?? '', isDeprecated, table };
  }

  /** Creates the table over Parquet files. */
  async create(columns: readonly TypedColumn[], partitionKey: string, location: string, options: CallOptions = {}): Promise<void> {
    const TableInput: TableInput = {
      Name: this.#name,
      TableType: 'EXTERNAL_TABLE',
      Parameters: { EXTERNAL: 'TRUE', classification: 'parquet' },
      PartitionKeys: [{ Name: partitionKey, Type: 'string' }],
      StorageDescriptor: {
        Columns: columns.map(({ name, type }) => ({ Name: name, Type: type })),
        Location: location,
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
        SerdeInfo: {
          SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
          Parameters: { 'serialization.format': '1' },
        },
      },
    };
    await this.#call('create table', options, async (sending) => {
      await this.#client.send(new CreateTableCommand({ DatabaseName: this.#database, TableInput }), sending);
    });
  }

  /**
   * Replaces the columns, and keeps everything else. A column keeps its comment.
   *
   * @throws LakeError when another writer changed the table since it was read
   */
  async setColumns(read: CrawledTable, columns: readonly TypedColumn[], options: CallOptions = {}): Promise<void> {
    const known = new Map((read.table.StorageDescriptor?.Columns ?? []).map((column) => [column.Name, column]));
    const Columns = columns.map(({ name, type }) => ({ ...known.get(name), Name: name, Type: type }));
    await this.#update(read, { StorageDescriptor: { ...read.table.StorageDescriptor, Columns } }, options);
  }

  /** Marks the table as deprecated, or removes the mark. */
  async setDeprecated(read: CrawledTable, atMs: number | undefined, options: CallOptions = {}): Promise<void> {
    await this.#update(read, { Parameters: marked(read.table.Parameters, atMs) }, options);
  }

  /** Marks partitions as deprecated. Glue allows 100 per request. */
  async deprecatePartitions(
    partitions: readonly CatalogPartition[],
    read: CrawledTable,
    atMs: number,
    options: CallOptions = {},
  ): Promise<void> {
    for (let start = 0; start < partitions.length; start += 100) {
      const page = partitions.slice(start, start + 100);
      await this.#call('deprecate partitions', options, async (sending) => {
        await this.#client.send(
          new BatchUpdatePartitionCommand({
            DatabaseName: this.#database,
            TableName: this.#name,
            Entries: page.map(({ value, location }) => ({
              PartitionValueList: [value],
              PartitionInput: {
                Values: [value],
                StorageDescriptor: { ...read.table.StorageDescriptor, Location: location },
                Parameters: marked(undefined, atMs),
              },
            })),
          }),
          sending,
        );
      });
    }
  }

  async #update({ table }: CrawledTable, change: Partial<TableInput>, options: CallOptions): Promise<void> {
    // An input has fewer fields than the table that Glue returns.
    const {
      Name,
      Description,
      Owner,
      Retention,
      StorageDescriptor,
      PartitionKeys,
      ViewOriginalText,
      ViewExpandedText,
      TableType,
      Parameters,
    } = table;
    const input = { Name, Description, Owner, Retention, StorageDescriptor, PartitionKeys, ViewOriginalText, ViewExpandedText, TableType };
    const TableInput: TableInput = { ...withoutUndefined({ ...input, Parameters }), ...change, Name: this.#name };
    await this.#call('update table', options, async (sending) => {
      await this.#client.send(
        new UpdateTableCommand({
          DatabaseName: this.#database,
          TableInput,
          SkipArchive: true,
          // Glue refuses the update when the table has another version by now.
          ...(table.VersionId === undefined ? {} : { VersionId: table.VersionId }),
        }),
        sending,
      );
    });
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

function marked(parameters: Readonly<Record<string, string>> | undefined, atMs: number | undefined): Record<string, string> {
  const { [deprecatedParameter]: _old, ...others } = parameters ?? {};
  return atMs === undefined ? others : { ...others, [deprecatedParameter]: String(atMs) };
}

function withoutUndefined(input: Readonly<Record<string, unknown>>): Partial<TableInput> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Partial<TableInput>;
}
