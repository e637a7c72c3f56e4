import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder; this file stands as deep in `src` as in `dist`. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
