import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { CallOptions, InspectableStore } from '../object-store.ts';

// A footer of a file with one row group and a dozen columns is a few kilobytes.
const footerBytes = 64 * 1024;

/**
 * Reads the number of rows from the footer of a Parquet file: one GET of its last 64 KiB, two when the footer is longer.
 *
 * @throws Error when it is not a Parquet file
 */
export async function rowsInFooter(store: InspectableStore, key: string, bytes: number, options: CallOptions = {}): Promise<number> {
  return Number((await footerOf(store, key, bytes, options)).num_rows);
}

/**
 * Reads the size of each column from the footer of a Parquet file, compressed and in bytes, as {@link rowsInFooter} reads its rows.
 *
 * @throws Error when it is not a Parquet file
 */
export async function columnBytesInFooter(
  store: FooterStore,
  key: string,
  bytes: number,
  options: CallOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const { columns } of (await footerOf(store, key, bytes, options)).row_groups) {
    for (const { meta_data: column } of columns) {
      const name = column?.path_in_schema[0];
      if (column !== undefined && name !== undefined) sizes.set(name, (sizes.get(name) ?? 0) + Number(column.total_compressed_size));
    }
  }
  return sizes;
}

/** A store that gives parts of objects. */
export type FooterStore = Pick<InspectableStore, 'getRange'>;

/** Reads the footer of a Parquet file. */
export async function footerOf(store: FooterStore, key: string, bytes: number, options: CallOptions): Promise<FileMetaData> {
  const file: AsyncBuffer = {
    byteLength: bytes,
    slice: async (start, end = bytes) => {
      const part = await store.getRange(key, start, end, options);
      if (part === undefined) throw new Error('it is not there');
      return bufferOf(part);
    },
  };
  return await parquetMetadataAsync(file, { initialFetchSize: footerBytes });
}

/** The record of a row. */
export interface RowPlace {
  readonly partition: number;
  readonly offset: number;
}

/**
 * Reads the hidden columns of every row of a Parquet file.
 *
 * @throws Error when it is not a Parquet file or lacks them
 */
export async function rowPlaces(content: Uint8Array): Promise<RowPlace[]> {
  const rows = await parquetReadObjects({ file: bufferOf(content), compressors, columns: ['_partition', '_offset'] });
  return rows.map((row) => ({ partition: Number(row['_partition']), offset: Number(row['_offset']) }));
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
