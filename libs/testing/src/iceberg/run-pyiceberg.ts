import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../processes/python-environment.ts';

/** Folder of the Python programs of the tests. */
export const pythonFolder = join('libs', 'testing', 'python');

/** Returns the path of a Python that has pyiceberg. The first call fetches the packages into the cache. */
export async function pyicebergPython(): Promise<string> {
  return await pythonEnvironment('pyiceberg-venv', join(pythonFolder, 'requirements.txt'));
}

/**
 * Runs a Python program that uses pyiceberg, and returns its output.
 *
 * @throws Error with the output of the program when it fails
 */
export async function runPyiceberg(program: string): Promise<string> {
  return (await promisify(execFile)(await pyicebergPython(), ['-c', program])).stdout;
}
