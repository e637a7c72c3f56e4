import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { OutboxError } from '../errors.ts';

/** SQLite's code for a database that another connection has locked. */
const busy = 5;

/** The lock of an outbox directory. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Locks a directory for this process. SQLite locks an empty database there, because Node has no file locks. The kernel releases the lock
 * when the process ends, also by `kill -9`, so no lock is ever stale. It holds between containers that share the volume of one machine.
 *
 * @throws OutboxError `locked` when another process, or another outbox of this one, has the directory
 */
export function lockDirectory(path: string): DirectoryLock {
  const database = new DatabaseSync(join(path, 'lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new OutboxError('locked', `Another process uses the outbox directory ${path}: give each instance its own PURCHASE_OUTBOX_DIR.`, {
      cause: error,
    });
  }
  return { release: () => database.close() };
}
