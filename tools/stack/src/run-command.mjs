import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { processTree, signalAll } from '../../../libs/runtime/src/process-life.mjs';

/** Time that a command and its descendants have to end after SIGTERM, in milliseconds. */
const gracePeriodMs = 10_000;

/** Characters of output that are kept, the last ones. */
const outputCharactersMax = 100_000;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {Readonly<Record<string, string | undefined>>} [env]
 * @property {AbortSignal} [signal] ends the command with all its descendants
 * @property {AbortSignal} [hard] ends the wait for their clean end
 * @property {(line: string) => void} [onLine] sees each line of output
 * @property {boolean} [inherit] the command writes to this process's own streams
 */

/**
 * Runs a command to its end, in a separate process group: a Ctrl-C reaches it through `signal` and not from the terminal.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string }>} the exit code, and what it printed on both streams
 * @throws the signal's reason, once the command and its descendants have ended
 */
export async function run(command, args, { cwd, env = process.env, signal, hard, onLine, inherit = false } = {}) {
  signal?.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd,
    env,
    detached: true,
    stdio: inherit ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let begun = '';
  /** @param {Buffer} chunk */
  const take = (chunk) => {
    const text = chunk.toString();
    output = (output + text).slice(-outputCharactersMax);
    if (onLine === undefined) return;
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return await new Promise((resolve, reject) => {
    // A descendant that left the group may hold the streams open, so an abort waits for the processes and not for `close`.
    const onAbort = () => void stopTree(child.pid, hard).then(() => reject(signal?.reason), reject);
    signal?.addEventListener('abort', onAbort, { once: true });
    child.on('error', reject);
    child.on('close', (code) => {
      if (signal?.aborted === true) return;
      signal?.removeEventListener('abort', onAbort);
      if (begun !== '') onLine?.(begun);
      resolve({ code: code ?? 1, output });
    });
  });
}

/**
 * Ends a process that leads a group, with its descendants: SIGTERM to the group, and SIGKILL to each that is left.
 *
 * @param {number | undefined} pid undefined when it could not be started
 * @param {AbortSignal | undefined} hard
 */
async function stopTree(pid, hard) {
  if (pid === undefined) return;
  // Nx runs its tasks in groups of their own and ends them itself. The tree is followed from the start, since a child whose parent
  // has ended can no longer be found through it.
  let tree = processTree([pid]);
  signalAll([-pid], 'SIGTERM');
  const deadline = performance.now() + gracePeriodMs;
  const mayWait = () => performance.now() < deadline && hard?.aborted !== true;
  while (tree.length > 0 && mayWait()) {
    await pause(50);
    tree = processTree(tree);
  }
  while (tree.length > 0) {
    signalAll(
      tree.map((one) => one.pid),
      'SIGKILL',
    );
    await pause(20);
    tree = processTree(tree);
  }
}
