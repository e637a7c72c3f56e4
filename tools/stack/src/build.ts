import { join } from 'node:path';
import { StackError } from './errors.ts';
import { run } from './install.ts';
import { root } from './settings.ts';

const nx = join(root, 'node_modules', '.bin', 'nx');
const nxEnv = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', CI: process.env['CI'] ?? 'true' };

/** Runs targets over all projects. Returns what nx printed; nothing is left running. */
export async function runTargets(targets: readonly string[], options: { readonly parallel?: number; readonly env?: Readonly<Record<string, string>>; readonly projects?: readonly string[] } = {}): Promise<{ code: number; output: string }> {
  const projects = options.projects === undefined ? [] : [`--projects=${options.projects.join(',')}`];
  return await run(nx, ['run-many', '-t', ...targets, '--output-style=static', `--parallel=${options.parallel ?? 2}`, ...projects], { env: { ...nxEnv, ...options.env } });
}

/**
 * Builds every project; what has not changed comes from the cache.
 *
 * @throws StackError with the end of the output
 */
export async function build(): Promise<void> {
  const { code, output } = await runTargets(['build']);
  if (code !== 0) throw new StackError(`The build failed:\n${output.trim().split('\n').slice(-40).join('\n')}`);
}
