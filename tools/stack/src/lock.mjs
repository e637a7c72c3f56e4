import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startOf } from '../../../libs/runtime/src/process-life.mjs';

/** Age from which a lock without a readable owner is dead: its owner died between creating and writing it. In milliseconds. */
const unreadableMsMax = 5000;

const pollMs = 200;

/**
 * @typedef {object} LockOptions
 * @property {(pid: number) => void} [onWait] called once when another living process holds the lock, with its pid
 * @property {AbortSignal} [signal] ends the wait
 */

/**
 * Runs something while this process alone holds a lock. The lock is a file with its owner's pid and start time. A lock whose owner has
 * died is taken over.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} use
 * @param {LockOptions} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, use, { onWait, signal } = {}) {
  const mine = JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) });
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; !create(path, mine);) {
    signal?.throwIfAborted();
    const found = read(path);
    const owner = ownerOf(path, found);
    if (owner === 'dead') {
      takeAway(path, found);
      continue;
    }
    if (!told && owner !== undefined) onWait?.(owner);
    told ||= owner !== undefined;
    await pause(pollMs);
  }
  try {
    return await use();
  } finally {
    if (read(path) === mine) rmSync(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} content
 */
function create(path, content) {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * @param {string} path
 * @returns {string | undefined} undefined when there is no lock any more
 */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {string | undefined} content
 * @returns {number | 'dead' | undefined} the living owner's pid; undefined while it is not known
 */
function ownerOf(path, content) {
  if (content === undefined) return undefined;
  try {
    const { pid, startedAt } = JSON.parse(content);
    if (typeof pid === 'number') return startOf(pid) === startedAt ? pid : 'dead';
  } catch {
    // Created a moment ago and not written yet, or never.
  }
  try {
    return Date.now() - statSync(path).mtimeMs < unreadableMsMax ? undefined : 'dead';
  } catch {
    return undefined;
  }
}

/**
 * Removes a dead owner's lock. Two processes may find it dead at the same time, and the slower one must not remove the lock of the
 * faster one. So the file is moved aside first, and put back if it is another lock by then.
 *
 * @param {string} path
 * @param {string | undefined} dead
 */
function takeAway(path, dead) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = read(aside);
  if (moved !== undefined && moved !== dead) create(path, moved);
  rmSync(aside, { force: true });
}
