import type { FileMetaData, SchemaElement } from 'hyparquet';
import { footerOf, type FooterStore } from '../audit/parquet-rows.ts';
import type { CallOptions } from '../object-store.ts';
import type { TypedColumn } from './schema-difference.ts';

/**
 * Reads names and types of the columns of a Parquet file from its footer, the types in the words of Glue. Names that begin with `_` are
 * columns of the writer and not of the table.
 *
 * @throws Error when it is not a Parquet file
 */
export async function columnsInFooter(
  store: FooterStore,
  key: string,
  bytes: number,
  options: CallOptions = {},
): Promise<readonly TypedColumn[]> {
  return columnsOfFooter(await footerOf(store, key, bytes, options));
}

/** The columns of a footer. A nested column has the type `nested`, which equals no type of Glue. */
export function columnsOfFooter({ schema }: Pick<FileMetaData, 'schema'>): readonly TypedColumn[] {
  const columns: TypedColumn[] = [];
  // The schema is a tree in preorder below its root.
  let at = 1;
  while (at < schema.length) {
    const element = schema[at]!;
    if (!element.name.startsWith('_')) columns.push({ name: element.name.toLowerCase(), type: typeOf(element) });
    at = endOf(schema, at);
  }
  return columns;
}

function endOf(schema: readonly SchemaElement[], at: number): number {
  let next = at + 1;
  for (let child = 0; child < (schema[at]?.num_children ?? 0); child += 1) next = endOf(schema, next);
  return next;
}

function typeOf({
  type,
  converted_type: converted,
  logical_type: logical,
  precision,
  scale,
  num_children: children,
}: SchemaElement): string {
  if (children !== undefined && children > 0) return 'nested';
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return `decimal(${precision ?? 38},${scale ?? 0})`;
  switch (type) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT32':
      if (converted === 'DATE' || logical?.type === 'DATE') return 'date';
      if (converted === 'INT_8') return 'tinyint';
      return converted === 'INT_16' ? 'smallint' : 'int';
    case 'INT64':
      return logical?.type === 'TIMESTAMP' || converted?.startsWith('TIMESTAMP') === true ? 'timestamp' : 'bigint';
    case 'INT96':
      return 'timestamp';
    case 'FLOAT':
      return 'float';
    case 'DOUBLE':
      return 'double';
    case 'BYTE_ARRAY':
      return converted === 'UTF8' || converted === 'ENUM' || converted === 'JSON' || logical?.type === 'STRING' ? 'string' : 'binary';
    default:
      return 'binary';
  }
}
