import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

// Plain JavaScript without packages: tools/stack/src/bootstrap loads this file before anything is installed.

/**
 * Start time of a living process, in the system's own form. With the pid it identifies the process: a later process with the same pid
 * has another start time. A zombie is dead: it has ended, and only its parent has not asked for its exit code yet.
 *
 * @param {number} pid
 * @returns {string | undefined} undefined when no process with this pid is alive
 */
export function startOf(pid) {
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return existsSync('/proc/self/stat') ? undefined : startByPs(pid);
  }
  return startInStat(stat);
}

/**
 * Whether a process with this pid is alive. A zombie is not.
 *
 * @param {number} pid
 * @returns {boolean}
 */
export function isAlive(pid) {
  return startOf(pid) !== undefined;
}

/**
 * Start time in the text of `/proc/PID/stat`: field 22, in clock ticks since the system started.
 *
 * @param {string} stat
 * @returns {string | undefined} undefined for a zombie and for a process that is being removed
 */
export function startInStat(stat) {
  const fields = fieldsOf(stat);
  return /^[ZXx]/.test(fields[0] ?? '') ? undefined : fields[19];
}

/**
 * Start time in the output of `ps -o stat=,lstart=`.
 *
 * @param {string} output
 * @returns {string | undefined} undefined for a zombie and for no output
 */
export function startInPs(output) {
  const [, state = 'Z', start] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(output) ?? [];
  return state.startsWith('Z') ? undefined : start;
}

/** @param {number} pid */
function startByPs(pid) {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 ? startInPs(stdout) : undefined;
}

/**
 * @typedef {object} LivingProcess
 * @property {number} pid
 * @property {number} parent
 * @property {string} startedAt as {@link startOf} gives it
 */

/**
 * The living processes among those given, and their living descendants. A process that was given with its start time counts only while
 * its pid still belongs to it.
 *
 * @param {readonly (number | LivingProcess)[]} roots
 * @returns {LivingProcess[]}
 */
export function processTree(roots) {
  const all = livingProcesses();
  const byPid = new Map(all.map((one) => [one.pid, one]));
  /** @type {Set<LivingProcess>} */
  const tree = new Set();
  for (const root of roots) {
    const found = byPid.get(typeof root === 'number' ? root : root.pid);
    if (found !== undefined && (typeof root === 'number' || root.startedAt === found.startedAt)) tree.add(found);
  }
  // The loop also visits members that are added to the set during the loop.
  for (const one of tree) for (const other of all) if (other.parent === one.pid) tree.add(other);
  return [...tree];
}

/** @returns {LivingProcess[]} */
function livingProcesses() {
  if (!existsSync('/proc/self/stat')) {
    const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart='], { encoding: 'utf8' });
    return stdout.split('\n').flatMap((line) => {
      const [, pid, parent, rest = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      const startedAt = startInPs(rest);
      return startedAt === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), startedAt }];
    });
  }
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const startedAt = startInStat(stat);
      return startedAt === undefined ? [] : [{ pid: Number(name), parent: Number(fieldsOf(stat)[1]), startedAt }];
    } catch {
      return [];
    }
  });
}

/**
 * Sends a signal to processes; a negative pid is a process group. Ended processes are left out.
 *
 * @param {readonly number[]} pids
 * @param {NodeJS.Signals} name
 */
export function signalAll(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
    }
  }
}

/**
 * The fields of `/proc/PID/stat` from the state on. The command name before it, in parentheses, may hold spaces and parentheses.
 *
 * @param {string} stat
 */
function fieldsOf(stat) {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
