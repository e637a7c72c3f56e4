import { readFile, readlink, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { startOf } from '@millrace/runtime';

/** The file of a spool directory that names its {@link Owner}. */
export const ownerFile = 'owner.json';

/** Milliseconds after its last heartbeat for which an owner counts as alive if its pid cannot be checked here. */
const staleMs = 60_000;

/**
 * The process that owns a spool directory. Its start time distinguishes it from a later process with the same pid. A pid is valid only on
 * its host and in its pid namespace: two containers on one volume may both have pid 1.
 */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  readonly host: string;
  /** Empty if the system has none. */
  readonly pidNamespace: string;
}

/** This process. */
export async function ownerHere(): Promise<Owner> {
  return {
    pid: process.pid,
    startedAt: startOf(process.pid) ?? '',
    host: hostname(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
  };
}

/** Whether the owner of a spool directory still runs. */
export async function isAlive(directory: string): Promise<boolean> {
  let owner: Owner;
  try {
    owner = JSON.parse(await readFile(join(directory, ownerFile), 'utf8')) as Owner;
  } catch {
    // Taken a moment ago, its owner not written yet, or left by a crash at that very moment: only its age shows which.
    return await isYounger(directory, 10_000);
  }
  const here = await ownerHere();
  if (owner.host !== here.host || owner.pidNamespace !== here.pidNamespace) return await isYounger(join(directory, ownerFile), staleMs);
  const startedAt = startOf(owner.pid);
  return startedAt !== undefined && (owner.startedAt === '' || owner.startedAt === startedAt);
}

async function isYounger(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < ms;
}
