import type { TObject } from 'typebox';

/** A column type that Athena, Trino's Hive reader and DuckDB all read the same way. */
export type ColumnType = 'string' | 'int' | 'bigint' | 'double' | 'boolean' | 'timestamp';

/** One column of a table. */
export interface Column {
  /** Name in snake case. */
  readonly name: string;
  /** The event's field it is filled from. */
  readonly field: string;
  readonly type: ColumnType;
  /** Parquet field id. It never changes. */
  readonly fieldId: number;
  readonly description: string;
  /** Whether values are stored in lower case. */
  readonly lowerCase: boolean;
}

/** Parquet field id of the partition key, which is in the files beside the columns of the contract. */
export const partitionKeyFieldId = 1000;

/** Columns in the Parquet files that the catalog does not declare; they make audit and "which row is my event" one query. */
export const hiddenColumns = [
  { name: '_partition', type: 'int', fieldId: 1001 },
  { name: '_offset', type: 'bigint', fieldId: 1002 },
] as const;

/** Derives a table's columns from the event's schema. */
export function columnsOf(schema: TObject): Column[] {
  return Object.entries(schema.properties).map(([field, property]) => {
    const annotations = property as {
      type?: string;
      description?: string;
      'x-field-id'?: number;
      'x-column-type'?: ColumnType;
      'x-lower-case'?: boolean;
    };
    const fieldId = annotations['x-field-id'];
    if (fieldId === undefined) throw new Error(`field ${field} of the schema has no x-field-id`);
    return {
      name: snakeCase(field),
      field,
      type: annotations['x-column-type'] ?? columnTypeOf(field, annotations.type),
      fieldId,
      description: annotations.description ?? '',
      lowerCase: annotations['x-lower-case'] ?? false,
    };
  });
}

function columnTypeOf(field: string, jsonType: string | undefined): ColumnType {
  switch (jsonType) {
    case 'string':
      return 'string';
    case 'integer':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'boolean';
    default:
      throw new Error(`field ${field} of the schema has type ${String(jsonType)}, which has no column type`);
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
