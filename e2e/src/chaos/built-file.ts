import { join } from 'node:path';

/** Path of a built file of the experiments. Other processes load it, also when a test runs this one from its source. */
export function builtFile(name: string): string {
  return join(import.meta.dirname, '..', '..', 'dist', 'chaos', name);
}
