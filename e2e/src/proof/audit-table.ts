import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = join(fileURLToPath(import.meta.url), '..', '..', '..', '..');

/** Result of an audit. */
export interface TableAudit {
  readonly complete: boolean;
  /** Its verdict. An incomplete table also gives the first faults. */
  readonly said: string;
  /** How long it took, the start of its process included, in milliseconds. */
  readonly ms: number;
}

/**
 * Runs `./millrace audit` on a table as an operator would; it ends with 0 only when the table is complete.
 *
 * @param deep whether it reads every entry and every byte; default false
 */
export async function auditTable(table: string, { deep = false }: { readonly deep?: boolean } = {}): Promise<TableAudit> {
  const started = performance.now();
  const ended = (complete: boolean, said: string): TableAudit => ({ complete, said, ms: Math.round(performance.now() - started) });
  try {
    const { stdout } = await promisify(execFile)(join(root, 'millrace'), ['audit', ...(deep ? ['--deep'] : []), '--table', table], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return ended(true, findingsIn(stdout));
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return ended(false, findingsIn(stdout) || stderr.trim().split('\n').at(-1) || message);
  }
}

function findingsIn(text: string): string {
  return [...text.matchAll(/^Table .*$|^ +[-✗] .*$/gm)]
    .slice(0, 4)
    .map(([line]) => line.trim())
    .join(' ');
}
