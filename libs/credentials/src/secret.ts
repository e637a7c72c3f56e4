import { readFileSync } from 'node:fs';

/** Returns the present value of a secret. Never throws. */
export type Secret = () => string;

/**
 * A secret from a setting, or from a file that is read at each use. While the file cannot be read, for example during its replacement, the
 * last value stays in use. Without a value, clients would give up a connection permanently.
 */
export function secretOf(value: string | undefined, path: string | undefined): Secret {
  if (path === undefined) return () => value ?? '';
  let last = value ?? '';
  return () => {
    try {
      const content = readFileSync(path, 'utf8').trim();
      if (content !== '') last = content;
    } catch {
      // The last value stays.
    }
    return last;
  };
}
