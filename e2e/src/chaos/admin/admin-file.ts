import { join } from 'node:path';

/** File in which a running chaos profile keeps the URL of its endpoint. */
export function adminFile(home: string): string {
  return join(home, 'attacks.json');
}
