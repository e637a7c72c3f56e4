import {
  BatchCreatePartitionCommand,
  BatchUpdatePartitionCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  EntityNotFoundException,
  GetPartitionCommand,
  GetPartitionsCommand,
  GlueClient,
  UpdateTableCommand,
  type Column as GlueColumn,
  type GlueClientConfig,
  type StorageDescriptor,
} from '@aws-sdk/client-glue';
import type { Stream } from '@millrace/contracts';
import { awsConnections, type ConnectionSettings } from './aws-connections.ts';
import { awsErrorToLakeError, codeOfAwsError } from './aws-errors.ts';
import { LakeError } from './errors.ts';
import { partitionPrefix, tablePrefix } from './keys.ts';
import type { CallOptions } from './object-store.ts';

/** A Glue client whose own retries are off. */
export function glueClient(settings: ConnectionSettings = {}, overrides: GlueClientConfig = {}): GlueClient {
  return new GlueClient({ maxAttempts: 1, requestHandler: awsConnections(settings), ...overrides });
}

/** Parameter by which Glue's crawler marks tables and partitions whose files are gone. Its value is a time in epoch milliseconds. */
export const deprecatedParameter = 'DEPRECATED_BY_CRAWLER';

/** A partition that the catalog knows. */
export interface CatalogPartition {
  readonly value: string;
  /** `s3://…/`, by which every engine finds the files. */
  readonly location: string;
  /** True when a crawler found no files. Absent otherwise. */
  readonly isDeprecated?: true;
}

/** Wraps a call to Glue: a resilience pipeline, or nothing. */
export type CatalogGuard = <T>(run: (signal: AbortSignal | undefined) => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

/** One stream's table in the Glue Data Catalog. */
export class GlueCatalog {
  readonly #client: GlueClient;
  readonly #stream: Stream;
  readonly #bucket: string;
  readonly #database: string;
  readonly #guard: CatalogGuard;
  readonly #table: string;

  /**
   * @param stream its table is the prefix of the files
   * @param guard wraps every call
   * @param database the database in Glue
   * @param table the table's name in Glue. It differs from the prefix after a switch to a replay
   */
  constructor(
    client: GlueClient,
    stream: Stream,
    bucket: string,
    guard: CatalogGuard = async (run, signal) => await run(signal),
    database = stream.database,
    table = stream.table,
  ) {
    this.#table = table;
    this.#client = client;
    this.#stream = stream;
    this.#bucket = bucket;
    this.#database = database;
    this.#guard = guard;
  }

  /** Creates the database and the table if they are missing, and updates the table's columns to the contract. Idempotent. */
  async ensureTable(options: CallOptions = {}): Promise<void> {
    const { table, partitionKey, fileCodec } = this.#stream;
    const input = {
      Name: this.#table,
      TableType: 'EXTERNAL_TABLE',
      Parameters: { EXTERNAL: 'TRUE', classification: 'parquet', 'parquet.compression': fileCodec.toUpperCase() },
      PartitionKeys: [{ Name: partitionKey, Type: 'string' }],
      StorageDescriptor: this.#storage(`s3://${this.#bucket}/${tablePrefix(table)}`),
    };
    await this.#call('create database', options, async (sending) => {
      await ignoringExisting(this.#client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: this.#database } }), sending));
    });
    await this.#call('create table', options, async (sending) => {
      const existed = await ignoringExisting(
        this.#client.send(new CreateTableCommand({ DatabaseName: this.#database, TableInput: input }), sending),
      );
      if (existed) await this.#client.send(new UpdateTableCommand({ DatabaseName: this.#database, TableInput: input }), sending);
    });
  }

  /** Registers values of the partition key. Registered values stay unchanged. Glue allows 100 values per request. */
  async register(values: readonly string[], options: CallOptions = {}): Promise<void> {
    for (let start = 0; start < values.length; start += 100) {
      const page = values.slice(start, start + 100);
      await this.#call(`register ${page.join(', ')}`, options, async (sending) => {
        const answer = await this.#client.send(
          new BatchCreatePartitionCommand({
            DatabaseName: this.#database,
            TableName: this.#table,
            PartitionInputList: page.map((value) => ({ Values: [value], StorageDescriptor: this.#storage(this.locationOf(value)) })),
          }),
          sending,
        );
        const failed = (answer.Errors ?? []).find((error) => error.ErrorDetail?.ErrorCode !== 'AlreadyExistsException');
        if (failed !== undefined) {
          throw new LakeError(
            'unavailable',
            `Glue did not register ${failed.PartitionValues?.join('/')}: ${failed.ErrorDetail?.ErrorCode} ${failed.ErrorDetail?.ErrorMessage}`,
          );
        }
      });
    }
  }

  /** Every registered partition. */
  async partitions(options: CallOptions = {}): Promise<CatalogPartition[]> {
    const partitions: CatalogPartition[] = [];
    let token: string | undefined;
    do {
      const page = await this.#call(
        'list partitions',
        options,
        async (sending) =>
          await this.#client.send(
            new GetPartitionsCommand({
              DatabaseName: this.#database,
              TableName: this.#table,
              ...(token === undefined ? {} : { NextToken: token }),
            }),
            sending,
          ),
      );
      for (const partition of page.Partitions ?? []) {
        partitions.push({
          value: partition.Values?.[0] ?? '',
          location: partition.StorageDescriptor?.Location ?? '',
          ...(partition.Parameters?.[deprecatedParameter] === undefined ? {} : { isDeprecated: true }),
        });
      }
      token = page.NextToken;
    } while (token !== undefined && token !== '');
    return partitions;
  }

  /**
   * The time at which a value of the partition key was registered. Undefined when the catalog does not know the value, the table or the
   * database.
   */
  async registeredAt(value: string, options: CallOptions = {}): Promise<Date | undefined> {
    return await this.#call(`get ${value}`, options, async (sending) => {
      try {
        const { Partition: partition } = await this.#client.send(
          new GetPartitionCommand({ DatabaseName: this.#database, TableName: this.#table, PartitionValues: [value] }),
          sending,
        );
        return partition === undefined ? undefined : (partition.CreationTime ?? new Date(0));
      } catch (error) {
        if (error instanceof EntityNotFoundException) return undefined;
        throw error;
      }
    });
  }

  /** Points registered values of the partition key at this stream's files. Glue allows 100 values per request. */
  async relocate(values: readonly string[], options: CallOptions = {}): Promise<void> {
    for (let start = 0; start < values.length; start += 100) {
      const page = values.slice(start, start + 100);
      await this.#call(`relocate ${page.join(', ')}`, options, async (sending) => {
        const answer = await this.#client.send(
          new BatchUpdatePartitionCommand({
            DatabaseName: this.#database,
            TableName: this.#table,
            Entries: page.map((value) => ({
              PartitionValueList: [value],
              PartitionInput: { Values: [value], StorageDescriptor: this.#storage(this.locationOf(value)) },
            })),
          }),
          sending,
        );
        const [failed] = answer.Errors ?? [];
        if (failed !== undefined) {
          throw new LakeError(
            'unavailable',
            `Glue did not relocate ${failed.PartitionValueList?.join('/')}: ${failed.ErrorDetail?.ErrorCode} ${failed.ErrorDetail?.ErrorMessage}`,
          );
        }
      });
    }
  }

  /** Returns the location of the files of a value of the partition key. */
  locationOf(value: string): string {
    return `s3://${this.#bucket}/${partitionPrefix(this.#stream.table, this.#stream.partitionKey, value)}`;
  }

  #storage(location: string): StorageDescriptor {
    return {
      Columns: this.#stream.columns.map(({ name, type, description }): GlueColumn => ({ Name: name, Type: type, Comment: description })),
      Location: location,
      InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      SerdeInfo: {
        SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
        Parameters: { 'serialization.format': '1' },
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

async function ignoringExisting(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (codeOfAwsError(error) === 'exists') return true;
    throw error;
  }
}
