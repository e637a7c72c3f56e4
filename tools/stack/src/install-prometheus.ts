import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from './build.ts';
import { StackError } from './errors.mjs';
import { run } from './run-command.mjs';
import type { Settings } from './settings.ts';

type RunOptions = { readonly cwd: string } & Interrupts;

/** The module that Go builds without a Debian package: version 3.0.1. */
const goModule = 'github.com/prometheus/prometheus';
const goVersion = 'v0.300.1';

/** The Prometheus to use: the machine's, or one that {@link installPrometheus} fetched. Undefined without one. */
export async function findPrometheus(settings: Settings, interrupts: Interrupts): Promise<string | undefined> {
  const fetched = fetchedPath(settings);
  if (existsSync(fetched)) return fetched;
  const own = await run('prometheus', ['--version'], interrupts).catch(() => undefined);
  return own?.code === 0 ? 'prometheus' : undefined;
}

/**
 * Finds a Prometheus, or fetches one without root: Debian's package where apt is there, or a build by Go. It goes into the cache.
 *
 * @throws StackError when neither works
 */
export async function installPrometheus(settings: Settings, interrupts: Interrupts): Promise<string> {
  const found = await findPrometheus(settings, interrupts);
  if (found !== undefined) return found;
  mkdirSync(settings.cache, { recursive: true });
  const folder = mkdtempSync(join(settings.cache, 'prometheus-'));
  try {
    const built = (await fromDebian({ cwd: folder, ...interrupts })) ?? (await fromGo({ cwd: folder, ...interrupts }));
    if (built === undefined) throw new StackError('No Prometheus was found or fetched by apt-get or Go: put prometheus on the PATH.');
    mkdirSync(join(settings.cache, 'prometheus'), { recursive: true });
    // Moved last, so that an interrupted installation is done again.
    renameSync(built, fetchedPath(settings));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return fetchedPath(settings);
}

function fetchedPath(settings: Settings): string {
  return join(settings.cache, 'prometheus', 'prometheus');
}

async function fromDebian(options: RunOptions): Promise<string | undefined> {
  if (!(await succeeds('apt-get', ['download', 'prometheus'], options))) return undefined;
  const archive = readdirSync(options.cwd).find((name) => name.endsWith('.deb'));
  if (archive === undefined || !(await succeeds('dpkg', ['-x', archive, 'files'], options))) return undefined;
  const binary = join(options.cwd, 'files', 'usr', 'bin', 'prometheus');
  return existsSync(binary) ? binary : undefined;
}

async function fromGo(options: RunOptions): Promise<string | undefined> {
  // As a dependency of an empty module: go install takes no module whose go.mod excludes versions, as this one does.
  const steps = [
    ['mod', 'init', 'fetch'],
    ['get', `${goModule}/cmd/prometheus@${goVersion}`],
    ['build', '-o', 'prometheus', `${goModule}/cmd/prometheus`],
  ];
  for (const step of steps) if (!(await succeeds('go', step, options))) return undefined;
  const binary = join(options.cwd, 'prometheus');
  return existsSync(binary) ? binary : undefined;
}

async function succeeds(command: string, args: readonly string[], options: RunOptions): Promise<boolean> {
  const done = await run(command, args, options).catch(() => undefined);
  options.signal.throwIfAborted();
  return done?.code === 0;
}
