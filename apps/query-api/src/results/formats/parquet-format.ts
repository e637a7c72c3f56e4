import { zstdCompressSync } from 'node:zlib';
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { ResultColumn } from '../../engines/query-engine.ts';
import { columnKind, type ColumnKind } from './column-kinds.ts';
import type { ResultFormat } from './result-format.ts';
import { typedReader, type TypedCell } from './typed-cells.ts';

type LeafType = Omit<SchemaElement, 'name'>;

const micros = { isAdjustedToUTC: false, unit: 'MICROS' } as const;

/** Rows of a row group. More would need more memory; fewer make a file slow to read, because its footer describes each group. */
const groupRows = 10_000;

/** A Parquet file. One row group is in memory, and the places of the others, because the footer names them. */
export const encodeParquet: ResultFormat['encode'] = async function* (columns, batches) {
  const kinds = columns.map(columnKind);
  const readers = kinds.map(typedReader);
  const bytes = new ByteWriter();
  const file = new ParquetWriter({
    writer: bytes,
    schema: schemaOf(columns, kinds),
    codec: 'ZSTD',
    compressors: { ZSTD: (input) => zstdCompressSync(input) },
    createdBy: 'millrace',
  });
  let group = columns.map((): TypedCell[] => []);
  let rows = 0;
  const writeGroup = async (): Promise<Uint8Array> => {
    await file.write({ columnData: columns.map(({ name }, index) => ({ name, data: group[index]! })), rowGroupSize: rows });
    group = columns.map(() => []);
    rows = 0;
    return taken(bytes);
  };
  for await (const batch of batches) {
    for (const [index, cells] of group.entries()) for (const row of batch) cells.push(readers[index]!(row[index] ?? null));
    rows += batch.length;
    if (rows >= groupRows) yield await writeGroup();
  }
  if (rows > 0) yield await writeGroup();
  await file.finish();
  yield taken(bytes);
};

/** The bytes written since the last time. The writer then begins its buffer anew and keeps its offset in the file. */
function taken(bytes: ByteWriter): Uint8Array {
  const copy = bytes.getBytes().slice();
  bytes.index = 0;
  return copy;
}

function schemaOf(columns: readonly ResultColumn[], kinds: readonly ColumnKind[]): SchemaElement[] {
  return [
    { name: 'result', num_children: columns.length },
    ...columns.map(({ name }, index): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...leafOf(kinds[index]!) })),
  ];
}

function leafOf(kind: ColumnKind): LeafType {
  switch (kind.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'integer':
      return kind.bits === 32 ? { type: 'INT32' } : { type: 'INT32', converted_type: kind.bits === 8 ? 'INT_8' : 'INT_16' };
    case 'bigint':
      return { type: 'INT64' };
    case 'real':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'decimal':
      return {
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 16,
        converted_type: 'DECIMAL',
        precision: kind.precision,
        scale: kind.scale,
        logical_type: { type: 'DECIMAL', precision: kind.precision, scale: kind.scale },
      };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'time':
      return { type: 'INT64', logical_type: { type: 'TIME', ...micros } };
    case 'timestamp':
      return { type: 'INT64', logical_type: { type: 'TIMESTAMP', ...micros } };
    case 'bytes':
      return { type: 'BYTE_ARRAY' };
    case 'text':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
  }
}
