import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = join(fileURLToPath(import.meta.url), '..', '..', '..', '..');

/** Runs `./millrace audit --deep` on a table as an operator would; it ends with 0 only when the table is complete. */
export async function auditTable(table: string): Promise<{ readonly complete: boolean; readonly said: string }> {
  try {
    const { stdout } = await promisify(execFile)(join(root, 'millrace'), ['audit', '--deep', '--table', table], { maxBuffer: 64 * 1024 * 1024 });
    return { complete: true, said: stdout.trim().split('\n').at(-1) ?? '' };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return { complete: false, said: `${stdout}${stderr}`.trim().split('\n').slice(-5).join(' ') || message };
  }
}
