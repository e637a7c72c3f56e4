import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError } from '../errors.mjs';
import { run } from '../run-command.mjs';

/** Folders in which systems keep several Java installations side by side, and where each keeps its home. */
const folders = /** @type {const} */ ([
  ['/usr/lib/jvm', ''],
  ['/opt/java', ''],
  ['/Library/Java/JavaVirtualMachines', 'Contents/Home'],
]);

/**
 * Finds a Java: that of JAVA_HOME, that on the PATH, or one of those that the system keeps.
 *
 * @param {number} atLeast oldest version that will do
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {{ signal?: AbortSignal, folders?: readonly (readonly [string, string])[] }} [options]
 * @returns {Promise<string | undefined>} the command; undefined when every Java is older, or there is none
 */
export async function findJava(atLeast, env, { signal, folders: places = folders } = {}) {
  const home = env['JAVA_HOME'] ?? '';
  const candidates = [...(home === '' ? [] : [join(home, 'bin', 'java')]), 'java', ...installedJavas(places)];
  for (const command of candidates) {
    try {
      const { code, output } = await run(command, ['-version'], { env, ...(signal === undefined ? {} : { signal }) });
      if (code === 0 && Number(/version "(\d+)/.exec(output)?.[1] ?? 0) >= atLeast) return command;
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
    }
  }
  return undefined;
}

/** @param {readonly (readonly [string, string])[]} places */
function installedJavas(places) {
  return places
    .filter(([folder]) => existsSync(folder))
    .flatMap(([folder, home]) => readdirSync(folder).map((name) => join(folder, name, home, 'bin', 'java')))
    .filter((path) => existsSync(path))
    .toSorted();
}
