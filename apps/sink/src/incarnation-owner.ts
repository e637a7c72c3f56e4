import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Who owns a spool directory: a process, told from a later one with the same pid by its start time. */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
}

/** Whether the owner of a spool directory still runs. */
export async function isAlive(directory: string): Promise<boolean> {
  let owner: Owner;
  try {
    owner = JSON.parse(await readFile(join(directory, 'owner.json'), 'utf8')) as Owner;
  } catch {
    // Taken a moment ago, its owner not written yet, or left by a crash at that very moment: only age tells.
    const found = await stat(directory).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs < 10_000;
  }
  const startedAt = await startTimeOf(owner.pid);
  if (startedAt !== undefined) return startedAt === owner.startedAt;
  try {
    process.kill(owner.pid, 0);
    return owner.startedAt === '';
  } catch {
    return false;
  }
}

/** Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), where the system tells it. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold spaces.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
