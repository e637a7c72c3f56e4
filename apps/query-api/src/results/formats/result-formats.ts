import { arrow } from './arrow-format.ts';
import { parquet } from './parquet-format.ts';
import type { ResultFormat } from './result-format.ts';
import { csv, ndjson, textFormat } from './text-formats.ts';

/** Formats that carry a whole result in one answer. */
export const wholeFormats: readonly ResultFormat[] = [textFormat(ndjson), textFormat(csv), parquet, arrow];
