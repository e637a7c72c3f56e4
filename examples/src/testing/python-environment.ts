import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes the virtual environment of the Python example, as its README says, and keeps it until the requirements change.
 *
 * @returns the path of its `python`
 */
export async function pythonEnvironment(root: string): Promise<string> {
  const folder = join(process.env['MILLRACE_CACHE'] ?? join(root, '.millrace', 'cache'), 'examples-venv');
  const requirements = join(root, 'examples', 'python', 'requirements.txt');
  const python = join(folder, 'bin', 'python');
  const stamp = join(folder, 'stamp');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return python;
  await run('python3', ['-m', 'venv', '--clear', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  // Written last: an interrupted installation is repeated.
  writeFileSync(stamp, wanted);
  return python;
}
