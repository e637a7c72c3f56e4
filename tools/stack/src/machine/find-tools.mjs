import { InterruptedError } from '../errors.mjs';
import { run } from '../run-command.mjs';
import { requirements } from './requirements.mjs';

/** @typedef {import('./requirements.mjs').RequirementName} RequirementName */

/**
 * @typedef {object} ToolFault
 * @property {RequirementName} need
 * @property {string} sentence
 */

/** @type {Record<Exclude<RequirementName, 'node'>, { command: string, args: string[], version?: RegExp, atLeast?: [number, number] }>} */
const tools = {
  npm: { command: 'npm', args: ['--version'] },
  java: { command: 'java', args: ['-version'], version: /version "(\d+)(?:\.(\d+))?/, atLeast: [17, 0] },
  maven: { command: 'mvn', args: ['-v'], version: /Apache Maven (\d+)\.(\d+)/, atLeast: [3, 6] },
  python: { command: 'python3', args: ['--version'], version: /Python (\d+)\.(\d+)/, atLeast: [3, 10] },
  // Debian has the module venv without ensurepip, which puts pip into an environment, and packs both as python3-venv.
  venv: { command: 'python3', args: ['-c', 'import venv, ensurepip'] },
};

/**
 * Looks for a tool on the PATH and reads its version.
 *
 * @param {Exclude<RequirementName, 'node'>} need
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {AbortSignal} [signal]
 * @returns {Promise<ToolFault | undefined>} undefined when the machine has it
 */
export async function faultOfTool(need, env, signal) {
  const { command, args, version, atLeast } = tools[need];
  const { name } = requirements[need];
  /** @param {string} why */
  const missing = (why) => ({ need, sentence: `${name}${atLeast === undefined ? '' : ' or newer'} is missing: ${why}.` });
  let found;
  try {
    found = await run(command, args, { env, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return missing(`there is no ${command} on the PATH`);
  }
  // macOS has a java that only says where to get one.
  if (found.code !== 0) return missing(`"${command} ${args.join(' ')}" fails: ${found.output.trim().split('\n').at(-1) ?? ''}`);
  return version === undefined || atLeast === undefined ? undefined : faultOfVersion(need, found.output, version, atLeast);
}

/**
 * @param {RequirementName} need
 * @param {string} output
 * @param {RegExp} version
 * @param {readonly [number, number]} atLeast
 * @returns {ToolFault | undefined}
 */
function faultOfVersion(need, output, version, [major, minor]) {
  const match = version.exec(output);
  const { name } = requirements[need];
  if (match === null) return { need, sentence: `${name} or newer is needed; the version is not in: ${output.trim().split('\n')[0]}.` };
  const [has, hasMinor] = [Number(match[1]), Number(match[2] ?? 0)];
  if (has > major || (has === major && hasMinor >= minor)) return undefined;
  return { need, sentence: `${name} or newer is needed; this machine has ${has}.${hasMinor}.` };
}
