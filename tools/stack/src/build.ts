import { join } from 'node:path';
import { consoleFolder, isConsoleStale } from './build-console.ts';
import { StackError } from './errors.mjs';
import type { Interruption } from './interruption.mjs';
import { withLock } from './lock.mjs';
import { root } from './places.mjs';
import { run } from './run-command.mjs';

/** Signals that ask a command to stop. */
export type Interrupts = Pick<Interruption, 'signal' | 'hard'>;

const nx = join(root, 'node_modules', '.bin', 'nx');
const vite = join(root, 'node_modules', '.bin', 'vite');
const tsc = join(root, 'node_modules', '.bin', 'tsc');
const nxEnv = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', CI: process.env['CI'] ?? 'true', NO_COLOR: '1' };

/** Targets to run, and their options. */
export interface TargetOptions {
  /** Maximum number of concurrent tasks. Default 2. */
  readonly parallel?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: all, or those that `changedSince` leaves. */
  readonly projects?: readonly string[];
  /** A commit: only projects that changed since, or that depend on one that did. */
  readonly changedSince?: string;
  /** Called with the number of finished tasks. */
  readonly onTask?: (finished: number) => void;
}

/** Runs targets over projects that are built. Returns nx's output; nothing is left running. */
export async function runTargets(
  targets: readonly string[],
  { signal, hard }: Interrupts,
  { parallel = 2, env = {}, projects, changedSince, onTask }: TargetOptions = {},
): Promise<{ code: number; output: string }> {
  const of = projects === undefined ? [] : [`--projects=${projects.join(',')}`];
  let finished = 0;
  const onLine = (line: string): void => {
    if (/^\W+nx run @?[\w/-]+:[\w-]+/.test(line)) onTask?.((finished += 1));
  };
  const which = changedSince === undefined ? ['run-many'] : ['affected', `--base=${changedSince}`];
  // The caller has built everything. Each task of nx costs a second, even one that finds nothing to do.
  return await run(
    nx,
    [...which, '-t', ...targets, '--excludeTaskDependencies', '--output-style=static', `--parallel=${parallel}`, ...of],
    {
      cwd: root,
      env: { ...nxEnv, ...env },
      signal,
      hard,
      onLine,
    },
  );
}

/** Names of the projects that changed since a commit, or that depend on one that did. Uncommitted changes count. */
export async function projectsChangedSince(base: string, { signal, hard }: Interrupts): Promise<string[]> {
  const { code, output } = await run(nx, ['show', 'projects', '--affected', `--base=${base}`, '--json'], {
    cwd: root,
    env: nxEnv,
    signal,
    hard,
  });
  if (code !== 0) throw new StackError(`The changed projects cannot be found:\n${output.trim()}`);
  return JSON.parse(output.slice(output.indexOf('['))) as string[];
}

/**
 * Builds every project; unchanged ones are left as they are. Waits while another command builds.
 *
 * @throws StackError with the end of the output
 */
export async function build({ signal, hard }: Interrupts, note: (text: string) => void = () => undefined): Promise<void> {
  const onWait = (pid: number): void => note(`waiting for process ${pid}, which builds`);
  let compiled = 0;
  const onLine = (line: string): void => {
    if (/Building project /.test(line)) note(`${(compiled += 1)} projects`);
  };
  const { code, output } = await withLock(
    join(root, '.millrace', 'build.lock'),
    async () => {
      note('');
      const compiler = await run(tsc, ['--build', '--verbose', root], { cwd: root, signal, hard, onLine });
      if (compiler.code !== 0 || !isConsoleStale()) return compiler;
      note('console');
      return await run(vite, ['build'], { cwd: consoleFolder, signal, hard });
    },
    { onWait, signal },
  );
  if (code === 0) return;
  // The progress of the compiler is not an error.
  const errors = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+\* |^\d.* - [A-Z]/.test(line));
  throw new StackError(`The build failed:\n${errors.slice(-40).join('\n')}`);
}
