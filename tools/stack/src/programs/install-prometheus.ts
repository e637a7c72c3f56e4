import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from '../build.ts';
import { StackError } from '../errors.mjs';
import type { Settings } from '../settings.ts';
import { fetchProgram, type FetchOptions, findProgram, type Program, succeeds } from './fetch-program.ts';

/** The module that Go builds without a Debian package: version 3.0.1. */
const goModule = 'github.com/prometheus/prometheus';
const goVersion = 'v0.300.1';

const prometheus: Program = { name: 'prometheus', versionArgs: ['--version'], sources: [fromDebian, fromGo] };

/** The Prometheus to use: the machine's, or one that {@link installPrometheus} fetched. Undefined without one. */
export async function findPrometheus(settings: Settings, interrupts: Interrupts): Promise<string | undefined> {
  return await findProgram(prometheus, settings, interrupts);
}

/**
 * Finds a Prometheus, or fetches one without root: Debian's package where apt is there, or a build by Go. It goes into the cache.
 *
 * @throws StackError when neither works
 */
export async function installPrometheus(settings: Settings, interrupts: Interrupts): Promise<string> {
  const found = await fetchProgram(prometheus, settings, interrupts);
  if (found === undefined) throw new StackError('No Prometheus was found or fetched by apt-get or Go: put prometheus on the PATH.');
  return found;
}

async function fromDebian(options: FetchOptions): Promise<string | undefined> {
  if (!(await succeeds('apt-get', ['download', 'prometheus'], options))) return undefined;
  const archive = readdirSync(options.cwd).find((name) => name.endsWith('.deb'));
  if (archive === undefined || !(await succeeds('dpkg', ['-x', archive, 'files'], options))) return undefined;
  const binary = join(options.cwd, 'files', 'usr', 'bin', 'prometheus');
  return existsSync(binary) ? binary : undefined;
}

async function fromGo(options: FetchOptions): Promise<string | undefined> {
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
