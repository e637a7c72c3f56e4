import type { AvroSchema } from './avro-container.ts';
import { partitionFieldId } from './table-schema.ts';

// The field ids are part of Iceberg's specification: https://iceberg.apache.org/spec/#manifests

function field(id: number, name: string, type: unknown): AvroSchema {
  return { name, type, 'field-id': id };
}

function optional(id: number, name: string, type: unknown): AvroSchema {
  return { name, type: ['null', type], default: null, 'field-id': id };
}

function perColumn(id: number, name: string, [keyId, valueId]: readonly [number, number], value: string): AvroSchema {
  const pair = { type: 'record', name: `k${keyId}_v${valueId}`, fields: [field(keyId, 'key', 'int'), field(valueId, 'value', value)] };
  return optional(id, name, { type: 'array', items: pair, logicalType: 'map' });
}

/** Schema of the entries of a manifest whose table is partitioned by one string column. */
export function manifestEntrySchema(partitionKey: string): AvroSchema {
  const partition = { type: 'record', name: 'r102', fields: [optional(partitionFieldId, partitionKey, 'string')] };
  const dataFile = {
    type: 'record',
    name: 'r2',
    fields: [
      field(134, 'content', 'int'),
      field(100, 'file_path', 'string'),
      field(101, 'file_format', 'string'),
      field(102, 'partition', partition),
      field(103, 'record_count', 'long'),
      field(104, 'file_size_in_bytes', 'long'),
      perColumn(109, 'value_counts', [119, 120], 'long'),
      perColumn(110, 'null_value_counts', [121, 122], 'long'),
      perColumn(125, 'lower_bounds', [126, 127], 'bytes'),
      perColumn(128, 'upper_bounds', [129, 130], 'bytes'),
    ],
  };
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      field(0, 'status', 'int'),
      optional(1, 'snapshot_id', 'long'),
      optional(3, 'sequence_number', 'long'),
      optional(4, 'file_sequence_number', 'long'),
      field(2, 'data_file', dataFile),
    ],
  };
}

const summary = {
  type: 'record',
  name: 'r508',
  fields: [
    field(509, 'contains_null', 'boolean'),
    optional(518, 'contains_nan', 'boolean'),
    optional(510, 'lower_bound', 'bytes'),
    optional(511, 'upper_bound', 'bytes'),
  ],
};

/** Schema of the entries of a manifest list. */
export const manifestFileSchema: AvroSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    field(500, 'manifest_path', 'string'),
    field(501, 'manifest_length', 'long'),
    field(502, 'partition_spec_id', 'int'),
    field(517, 'content', 'int'),
    field(515, 'sequence_number', 'long'),
    field(516, 'min_sequence_number', 'long'),
    field(503, 'added_snapshot_id', 'long'),
    field(504, 'added_files_count', 'int'),
    field(505, 'existing_files_count', 'int'),
    field(506, 'deleted_files_count', 'int'),
    field(512, 'added_rows_count', 'long'),
    field(513, 'existing_rows_count', 'long'),
    field(514, 'deleted_rows_count', 'long'),
    optional(507, 'partitions', { type: 'array', items: summary, 'element-id': 508 }),
  ],
};
