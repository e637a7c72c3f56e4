import { saveFile } from '../../api/save-file.ts';

/** The formats in which a whole result can be saved. */
export const downloadFormats = [
  { label: 'CSV', mediaType: 'text/csv', ending: 'csv' },
  { label: 'Parquet', mediaType: 'application/vnd.apache.parquet', ending: 'parquet' },
  { label: 'Arrow', mediaType: 'application/vnd.apache.arrow.stream', ending: 'arrows' },
] as const;

/** Saves the whole result of a query as a file. */
export async function download(queryId: string, { mediaType, ending }: (typeof downloadFormats)[number]): Promise<void> {
  await saveFile(`/v1/queries/${queryId}/results`, mediaType, `${queryId}.${ending}`);
}
