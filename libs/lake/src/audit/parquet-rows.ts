import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer } from 'hyparquet';
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
  const file: AsyncBuffer = {
    byteLength: bytes,
    slice: async (start, end = bytes) => {
      const part = await store.getRange(key, start, end, options);
      if (part === undefined) throw new Error('it is not there');
      return bufferOf(part);
    },
  };
  return Number((await parquetMetadataAsync(file, { initialFetchSize: footerBytes })).num_rows);
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
