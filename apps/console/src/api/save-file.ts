import { send } from './request.ts';

/** Saves the answer of a route as a file. A link could not carry the user's credential, so the page fetches it. */
export async function saveFile(path: string, mediaType: string, name: string): Promise<void> {
  const response = await send(path, { headers: { accept: mediaType } });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
