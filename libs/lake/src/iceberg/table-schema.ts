import { hiddenColumns, partitionKeyFieldId, type ColumnType, type Stream } from '@millrace/contracts';

/** Name of an Iceberg primitive type. */
export type IcebergType = 'string' | 'int' | 'long' | 'double' | 'boolean' | 'timestamp';

/** A column of an Iceberg schema. */
export interface IcebergField {
  readonly id: number;
  readonly name: string;
  readonly required: false;
  readonly type: IcebergType;
  readonly doc?: string;
}

/** Id of the partition field in the partition spec. Iceberg numbers these apart from columns, from 1000. */
export const partitionFieldId = 1000;

const typeOf: Readonly<Record<ColumnType, IcebergType>> = {
  string: 'string',
  int: 'int',
  bigint: 'long',
  double: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
};

/**
 * Columns of the Iceberg table over a stream's files. Readers find a column in a file by its field id, so the name may differ. The hidden
 * columns are `kafka_partition` and `kafka_offset` here: Iceberg reserves the name `_partition`, and Spark refuses a table that has it.
 */
export function icebergFields(stream: Stream): IcebergField[] {
  const { partitionKey, columns, timeField } = stream;
  return [
    ...columns.map(({ fieldId, name, type, description }): IcebergField => {
      return { id: fieldId, name, required: false, type: typeOf[type], ...(description === '' ? {} : { doc: description }) };
    }),
    { id: partitionKeyFieldId, name: partitionKey, required: false, type: 'string', doc: `UTC date of ${timeField}` },
    ...hiddenColumns.map(({ fieldId, name, type }): IcebergField => {
      return {
        id: fieldId,
        name: `kafka${name}`,
        required: false,
        type: typeOf[type],
        doc: `The record's${name.replace('_', ' ')} in the topic`,
      };
    }),
  ];
}

/** A schema as table metadata and manifests state it. */
export interface IcebergSchema {
  readonly type: 'struct';
  readonly 'schema-id': number;
  readonly fields: readonly IcebergField[];
}

/** A partition spec as table metadata states it. */
export interface PartitionSpec {
  readonly 'spec-id': number;
  readonly fields: readonly {
    readonly 'source-id': number;
    readonly 'field-id': number;
    readonly name: string;
    readonly transform: string;
  }[];
}

/** The partition spec of every projection: one file holds one value of the partition key. */
export function partitionSpecOf(stream: Pick<Stream, 'partitionKey'>): PartitionSpec {
  return {
    'spec-id': 0,
    fields: [{ 'source-id': partitionKeyFieldId, 'field-id': partitionFieldId, name: stream.partitionKey, transform: 'identity' }],
  };
}
