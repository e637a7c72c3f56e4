import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from '../build.ts';
import { run } from '../run-command.mjs';
import type { Settings } from '../settings.ts';

/** Options of a command that fetches: its folder, and the signals that stop it. */
export type FetchOptions = { readonly cwd: string } & Interrupts;

/** A program that a test or a proof uses where it can be had. */
export interface Program {
  readonly name: string;
  /** Arguments with which an installed copy exits with 0. */
  readonly versionArgs: readonly string[];
  /** Ways to fetch it into a folder, best first. Each returns the path of the program, or undefined where it does not work. */
  readonly sources: readonly ((options: FetchOptions) => Promise<string | undefined>)[];
}

/** Finds a program: a fetched one, or the machine's. */
export async function findProgram(program: Program, settings: Settings, interrupts: Interrupts): Promise<string | undefined> {
  const fetched = fetchedPath(program, settings);
  if (existsSync(fetched)) return fetched;
  return (await succeeds(program.name, program.versionArgs, interrupts)) ? program.name : undefined;
}

/** Finds a program, or fetches it without root into the cache. Undefined when no source has it. */
export async function fetchProgram(program: Program, settings: Settings, interrupts: Interrupts): Promise<string | undefined> {
  const found = await findProgram(program, settings, interrupts);
  if (found !== undefined) return found;
  mkdirSync(settings.cache, { recursive: true });
  const folder = mkdtempSync(join(settings.cache, `${program.name}-`));
  try {
    for (const source of program.sources) {
      const path = await source({ cwd: folder, ...interrupts });
      if (path === undefined) continue;
      mkdirSync(join(settings.cache, program.name), { recursive: true });
      // Moved last, so that an interrupted installation is done again.
      renameSync(path, fetchedPath(program, settings));
      return fetchedPath(program, settings);
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a command. False when it fails, does not exist, or takes longer than `limitMs` milliseconds.
 *
 * @param limitMs default: no limit
 */
export async function succeeds(
  command: string,
  args: readonly string[],
  options: Partial<FetchOptions> & Interrupts,
  limitMs?: number,
): Promise<boolean> {
  const signal = limitMs === undefined ? options.signal : AbortSignal.any([options.signal, AbortSignal.timeout(limitMs)]);
  const done = await run(command, args, { ...options, signal }).catch(() => undefined);
  options.signal.throwIfAborted();
  return done?.code === 0;
}

function fetchedPath({ name }: Program, { cache }: Settings): string {
  return join(cache, name, name);
}
