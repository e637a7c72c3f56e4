import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { run } from './install.ts';
import type { Settings } from './settings.ts';

/** What Go builds where there is no Debian package: version 3.0.1. */
const goModule = 'github.com/prometheus/prometheus';
const goVersion = 'v0.300.1';

/** The Prometheus to use: the machine's, or one that {@link installPrometheus} fetched. Undefined where there is none. */
export async function findPrometheus(settings: Settings): Promise<string | undefined> {
  const fetched = fetchedPath(settings);
  if (existsSync(fetched)) return fetched;
  const own = await run('prometheus', ['--version']).catch(() => undefined);
  return own?.code === 0 ? 'prometheus' : undefined;
}

/**
 * Finds a Prometheus, or fetches one without root: Debian's package where apt is there, or a build by Go. It goes into the cache.
 *
 * @throws StackError when neither works
 */
export async function installPrometheus(settings: Settings): Promise<string> {
  const found = await findPrometheus(settings);
  if (found !== undefined) return found;
  mkdirSync(settings.cache, { recursive: true });
  const folder = mkdtempSync(join(settings.cache, 'prometheus-'));
  try {
    const built = (await fromDebian(folder)) ?? (await fromGo(folder));
    if (built === undefined)
      throw new StackError(
        'No Prometheus was found, and neither apt-get download nor a build by Go could fetch one: put prometheus on the PATH.',
      );
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

async function fromDebian(folder: string): Promise<string | undefined> {
  if (!(await succeeds('apt-get', ['download', 'prometheus'], { cwd: folder }))) return undefined;
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (archive === undefined || !(await succeeds('dpkg', ['-x', archive, 'files'], { cwd: folder }))) return undefined;
  const binary = join(folder, 'files', 'usr', 'bin', 'prometheus');
  return existsSync(binary) ? binary : undefined;
}

async function fromGo(folder: string): Promise<string | undefined> {
  // As a dependency of an empty module: go install takes no module whose go.mod excludes versions, as this one does.
  const steps = [
    ['mod', 'init', 'fetch'],
    ['get', `${goModule}/cmd/prometheus@${goVersion}`],
    ['build', '-o', 'prometheus', `${goModule}/cmd/prometheus`],
  ];
  for (const step of steps) if (!(await succeeds('go', step, { cwd: folder }))) return undefined;
  const binary = join(folder, 'prometheus');
  return existsSync(binary) ? binary : undefined;
}

async function succeeds(command: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<boolean> {
  const done = await run(command, args, options).catch(() => undefined);
  return done?.code === 0;
}
