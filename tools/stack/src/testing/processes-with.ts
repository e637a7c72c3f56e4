import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isAlive } from '@millrace/runtime/process-life';

/** Command lines of the living processes that have a text in their environment, such as a `MILLRACE_HOME` of their own. */
export function processesWith(text: string): string[] {
  if (!existsSync('/proc/self/environ')) {
    const lines = execFileSync('ps', ['-A', '-E', '-ww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n');
    return lines.filter((line) => line.includes(text) && isAlive(Number.parseInt(line, 10)));
  }
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const isOne =
        /^\d+$/.test(pid) &&
        Number(pid) !== process.pid &&
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text) &&
        isAlive(Number(pid));
      return isOne ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] : [];
    } catch {
      // It ended in between.
      return [];
    }
  });
}
