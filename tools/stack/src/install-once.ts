import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from './build.ts';
import { InterruptedError, StackError } from './errors.mjs';
import { withLock } from './lock.mjs';
import { isFetched } from './machine/check-machine.mjs';
import { toolFolder } from './places.mjs';
import { run } from './run-command.mjs';
import type { Settings } from './settings.ts';

/** Reports the progress of an installation. */
export type Note = (text: string) => void;

/** Dependencies of the installers. */
export interface InstallContext extends Interrupts {
  readonly settings: Settings;
  readonly note: Note;
}

/**
 * Installs where the cache does not hold the list yet. The stamp holds the list that was installed. It is written last, so that an
 * interrupted installation is repeated.
 */
export async function installOnce(
  { settings, note, signal }: InstallContext,
  stamp: string,
  list: string,
  install: () => Promise<void>,
): Promise<void> {
  const isDone = (): boolean => isFetched({ MILLRACE_CACHE: settings.cache }, stamp, list);
  if (isDone()) return;
  const path = join(settings.cache, stamp);
  // Two stacks may share the cache and find it empty at the same time.
  await withLock(
    `${path}.lock`,
    async () => {
      if (isDone()) return;
      await install();
      writeFileSync(path, readFileSync(join(toolFolder, list), 'utf8'));
    },
    { signal, onWait: (pid) => note(`waiting for process ${pid}, which fetches it`) },
  );
}

/**
 * Runs a command that must succeed.
 *
 * @throws StackError with the end of its output
 */
export async function must(
  context: InstallContext,
  failure: string,
  command: string,
  args: readonly string[],
  onLine?: (line: string) => void,
): Promise<void> {
  const { signal, hard } = context;
  const { code, output } = await run(command, args, { signal, hard, ...(onLine === undefined ? {} : { onLine }) }).catch(
    (error: unknown) => {
      if (error instanceof InterruptedError) throw error;
      return { code: 1, output: String(error) };
    },
  );
  if (code !== 0) throw new StackError(`${failure}:\n${output.trim().split('\n').slice(-15).join('\n')}`);
}
