import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Makes bucket, database and table, as the stack's own tool makes them. */
export async function setUpLake(env: Readonly<Record<string, string>>): Promise<void> {
  const tool = join(import.meta.dirname, '..', '..', 'tools', 'stack', 'dist', 'set-up.js');
  await promisify(execFile)(process.execPath, [tool], { env: { ...process.env, ...env } });
}
