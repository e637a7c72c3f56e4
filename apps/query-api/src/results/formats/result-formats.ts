import type { ResultFormat } from './result-format.ts';
import { csv, ndjson, textFormat } from './text-formats.ts';

/** Formats that carry a whole result in one answer. */
export const wholeFormats: readonly ResultFormat[] = [
  textFormat(ndjson),
  textFormat(csv),
  loadedAtUse('application/vnd.apache.parquet', async () => (await import('./parquet-format.ts')).encodeParquet),
  loadedAtUse('application/vnd.apache.arrow.stream', async () => (await import('./arrow-format.ts')).encodeArrow),
];

/** A binary format, whose libraries most processes never need. */
function loadedAtUse(mediaType: string, load: () => Promise<ResultFormat['encode']>): ResultFormat {
  return {
    mediaType,
    contentType: mediaType,
    async *encode(columns, batches) {
      yield* (await load())(columns, batches);
    },
  };
}
