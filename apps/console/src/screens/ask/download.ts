import { send } from '../../api/request.ts';

/** The formats in which a whole result can be saved. */
export const downloadFormats = [
  { label: 'CSV', mediaType: 'text/csv', ending: 'csv' },
  { label: 'Parquet', mediaType: 'application/vnd.apache.parquet', ending: 'parquet' },
  { label: 'Arrow', mediaType: 'application/vnd.apache.arrow.stream', ending: 'arrows' },
] as const;

/** Saves the whole result of a query as a file. A link could not carry the user's credential, so the page fetches it. */
export async function download(queryId: string, { mediaType, ending }: (typeof downloadFormats)[number]): Promise<void> {
  const response = await send(`/v1/queries/${queryId}/results`, { headers: { accept: mediaType } });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${queryId}.${ending}`;
  link.click();
  URL.revokeObjectURL(url);
}
