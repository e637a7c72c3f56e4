import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { runChild } from './child-run.ts';
import type { RunCost } from './sink-run.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, 'benchmarks', 'python');

/** Where the native loop reads and writes. */
export interface NativeLoopPlace {
  readonly topic: string;
  readonly group: string;
  readonly rows: number;
  readonly bucket: string;
  readonly prefix: string;
}

/** Makes the Python environment of the native loop, once for each list of packages. Returns its interpreter. */
export async function installNativeLoop(): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  const venv = join(resolve(root, process.env['MILLRACE_CACHE'] ?? '.millrace/cache'), 'bench-venv');
  const python = join(venv, 'bin', 'python');
  const stamp = join(venv, 'stamp');
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return python;
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', '--clear', venv]);
  await run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '-r', requirements]);
  await writeFile(stamp, wanted);
  return python;
}

/** Runs the native loop over the topic. */
export async function runNativeLoop(python: string, { topic, group, rows, bucket, prefix }: NativeLoopPlace): Promise<RunCost> {
  return await runChild(python, [join(folder, 'native_loop.py'), topic, group, String(rows), bucket, prefix], {
    AWS_DEFAULT_REGION: process.env['AWS_REGION'] ?? 'us-east-1',
  });
}
