import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from '../errors.mjs';
import { withLock } from '../lock.mjs';
import { root } from '../places.mjs';
import { run } from '../run-command.mjs';

/** @typedef {import('../screen.mjs').Screen} Screen */

const linesShownMax = 30;

/** Whether every package of the lock file is there in its version. */
export function packagesInstalled() {
  const installedPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return false;
  const installed = packagesOf(installedPath);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(([path, { version, optional, link }]) => {
    if (!path.includes('node_modules/') || optional === true) return true;
    // A pull may have brought a new workspace, which needs its link.
    return link === true ? existsSync(join(root, path)) : installed[path]?.version === version;
  });
}

/**
 * Installs the npm packages. It waits for another command that is installing them.
 *
 * @param {Screen} screen
 * @param {AbortSignal} signal
 * @param {AbortSignal} hard
 * @returns {Promise<number>} how long it took, in milliseconds
 * @throws StackError with the end of npm's output
 */
export async function installPackages(screen, signal, hard) {
  const started = performance.now();
  /** @param {number} pid */
  const onWait = (pid) => screen.line(`  Another command (process ${pid}) installs the npm packages; waiting for it.`);
  await withLock(
    join(root, '.millrace', 'packages.lock'),
    async () => {
      if (packagesInstalled()) return;
      await screen.step('Install npm packages', async (note) => await npmCi(note, signal, hard));
    },
    { onWait, signal },
  );
  return performance.now() - started;
}

/**
 * @param {(text: string) => void} note
 * @param {AbortSignal} signal
 * @param {AbortSignal} hard
 */
async function npmCi(note, signal, hard) {
  const total = Object.keys(packagesOf(join(root, 'package-lock.json'))).filter((path) => path.includes('node_modules/')).length;
  let fetched = 0;
  /** @type {string[]} */
  const told = [];
  /** @param {string} line */
  const onLine = (line) => {
    if (!line.startsWith('npm http')) told.push(line);
    else if (/^npm http (fetch|cache) .*\.tgz/.test(line)) note(`${Math.min(++fetched, total)} of ${total}`);
  };
  // At this level npm reports each download. Its notices about funding, audits and npm updates do not help here.
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--loglevel=http'];
  const { code } = await run('npm', ['ci', ...quiet], { cwd: root, signal, hard, onLine });
  if (code !== 0) throw new StackError(`npm ci failed:\n${told.slice(-linesShownMax).join('\n')}`);
  note(`${total} packages`);
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, optional?: boolean, link?: boolean }>}
 */
function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}
