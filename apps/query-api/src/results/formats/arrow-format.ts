import {
  AsyncByteQueue,
  Binary,
  Bool,
  Data,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
  type DataType,
} from 'apache-arrow';
import { columnKind, type ColumnKind } from './column-kinds.ts';
import type { ResultFormat } from './result-format.ts';
import { typedReader, type TypedCell } from './typed-cells.ts';

/** Arrow's stream format, one record batch a batch. */
export const encodeArrow: ResultFormat['encode'] = async function* (columns, batches) {
  const kinds = columns.map(columnKind);
  const readers = kinds.map(typedReader);
  const types = kinds.map(arrowType);
  const schema = new Schema(columns.map(({ name }, index) => new Field(name, types[index]!, true)));
  const bytes = new WrittenBytes();
  const stream = new RecordBatchStreamWriter();
  // A result without rows has its schema, too.
  stream.reset(bytes, schema);
  for await (const rows of batches) {
    const children = types.map((type, index) =>
      dataOf(
        kinds[index]!,
        type,
        rows.map((row) => readers[index]!(row[index] ?? null)),
      ),
    );
    stream.write(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children })));
    yield bytes.take();
  }
  stream.finish();
  yield bytes.take();
};

/** Collects the bytes of the writer. Its own queue waits for a reader and knows no back-pressure. */
class WrittenBytes extends AsyncByteQueue {
  #chunks: Uint8Array[] = [];

  override write(value: Uint8Array): void {
    this.#chunks.push(value);
  }

  /** The bytes since the last time. */
  take(): Uint8Array {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return all;
  }
}

function arrowType(kind: ColumnKind): DataType {
  switch (kind.kind) {
    case 'boolean':
      return new Bool();
    case 'integer':
      return kind.bits === 8 ? new Int8() : kind.bits === 16 ? new Int16() : new Int32();
    case 'bigint':
      return new Int64();
    case 'real':
      return new Float32();
    case 'double':
      return new Float64();
    case 'decimal':
      return new Decimal(kind.scale, kind.precision, 128);
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'bytes':
      return new Binary();
    case 'text':
      return new Utf8();
  }
}

/** The buffers of a column. They are filled here, because the builders of the library take times as numbers of milliseconds. */
function dataOf(kind: ColumnKind, type: DataType, cells: readonly TypedCell[]): Data {
  const { nullCount, nullBitmap } = validityOf(cells);
  const { valueOffsets, values } = kind.kind === 'text' || kind.kind === 'bytes' ? variableOf(cells) : { values: fixedOf(kind, cells) };
  return new Data(type, 0, cells.length, nullCount, [valueOffsets, values, nullBitmap]);
}

function fixedOf(kind: ColumnKind, cells: readonly TypedCell[]): ArrayBufferView {
  const numbers = (): number[] => cells.map((cell) => (cell as number | null) ?? 0);
  switch (kind.kind) {
    case 'boolean':
      return bitsOf(cells, (cell) => cell === true);
    case 'integer':
      return kind.bits === 8 ? Int8Array.from(numbers()) : kind.bits === 16 ? Int16Array.from(numbers()) : Int32Array.from(numbers());
    case 'date':
      return Int32Array.from(numbers());
    case 'real':
      return Float32Array.from(numbers());
    case 'double':
      return Float64Array.from(numbers());
    case 'decimal':
      return wordsOf(cells as readonly (bigint | null)[]);
    default:
      return BigInt64Array.from(cells, (cell) => (cell as bigint | null) ?? 0n);
  }
}

function validityOf(cells: readonly TypedCell[]): { readonly nullCount: number; readonly nullBitmap: Uint8Array } {
  const nullCount = cells.reduce<number>((count, cell) => (cell === null ? count + 1 : count), 0);
  return { nullCount, nullBitmap: nullCount === 0 ? new Uint8Array() : bitsOf(cells, (cell) => cell !== null) };
}

/** One bit a cell, the first cell in the lowest bit. */
function bitsOf(cells: readonly TypedCell[], isSet: (cell: TypedCell) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [index, cell] of cells.entries()) if (isSet(cell)) bits[index >> 3]! |= 1 << (index & 7);
  return bits;
}

/** Texts or byte strings, concatenated, and the offset of each. */
function variableOf(cells: readonly TypedCell[]): { readonly valueOffsets: Int32Array; readonly values: Uint8Array } {
  const all = cells.map((cell) => (cell === null ? Buffer.alloc(0) : Buffer.from(cell as string)));
  const valueOffsets = new Int32Array(cells.length + 1);
  for (const [index, { byteLength }] of all.entries()) valueOffsets[index + 1] = valueOffsets[index]! + byteLength;
  return { valueOffsets, values: Buffer.concat(all) };
}

/** Integers of 128 bits as four words each, the lowest first. */
function wordsOf(cells: readonly (bigint | null)[]): Uint32Array {
  const words = new Uint32Array(cells.length * 4);
  for (const [index, cell] of cells.entries())
    for (let word = 0; word < 4; word += 1) words[index * 4 + word] = Number(BigInt.asUintN(32, (cell ?? 0n) >> BigInt(word * 32)));
  return words;
}
