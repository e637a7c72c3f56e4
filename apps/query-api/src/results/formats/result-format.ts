import type { ResultColumn, ResultRow } from '../../engines/query-engine.ts';

/** How a whole result is written for a client. One batch of rows is in memory. */
export interface ResultFormat {
  readonly mediaType: string;
  readonly contentType: string;
  encode(columns: readonly ResultColumn[], batches: AsyncIterable<readonly ResultRow[]>): AsyncGenerator<string | Uint8Array>;
}
