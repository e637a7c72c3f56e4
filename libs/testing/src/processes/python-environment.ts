import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { root } from './root.ts';

const run = promisify(execFile);

/**
 * Makes a virtual environment of Python in the cache, and keeps it until its list of packages changes.
 *
 * @param name folder of the environment in the cache
 * @param requirements path of the list of packages, from the repository's folder
 * @returns the path of its `python`
 */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const folder = join(resolve(root, process.env['MILLRACE_CACHE'] ?? '.millrace/cache'), name);
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'stamp');
  const list = join(root, requirements);
  const wanted = readFileSync(list, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', list]);
  // Written last: an interrupted installation is repeated.
  writeFileSync(stamp, wanted);
  return python;
}
