import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder; this file has the same depth in `src` and in `dist`. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
