import { join } from 'node:path';
import { pythonEnvironment } from '@millrace/testing';
import { runChild } from './child-run.ts';
import type { RunCost } from './sink-run.ts';

const folder = join(import.meta.dirname, '..', '..', 'python');

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
  return await pythonEnvironment('bench-venv', 'benchmarks/python/requirements.txt');
}

/** Runs the native loop over the topic. */
export async function runNativeLoop(python: string, { topic, group, rows, bucket, prefix }: NativeLoopPlace): Promise<RunCost> {
  return await runChild(python, [join(folder, 'native_loop.py'), topic, group, String(rows), bucket, prefix], {
    AWS_DEFAULT_REGION: process.env['AWS_REGION'] ?? 'us-east-1',
  });
}
