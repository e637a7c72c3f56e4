import { existsSync, mkdirSync, readFileSync, readdirSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { startOf } from '../../../../libs/runtime/src/process-life.mjs';
import { StackError } from '../errors.mjs';
import { isTaken } from '../is-taken.mjs';
import { cacheOf, externalParts, homeOf, partNames, portSettings, readPorts, root, serviceNames, toolFolder } from '../places.mjs';
import { faultOfTool } from './find-tools.mjs';
import { installCommands, room } from './requirements.mjs';

/** @typedef {import('./find-tools.mjs').ToolFault} ToolFault */
/** @typedef {import('./requirements.mjs').RequirementName} RequirementName */
/** @typedef {import('../places.mjs').Env} Env */

/**
 * @typedef {object} Purpose The purpose of the check.
 * @property {'install' | 'up' | 'own-stack'} kind only the npm packages; the user's stack; a stack on free ports, for tests and proofs
 * @property {boolean} npm whether npm packages have to be installed
 */

/**
 * Checks everything that Millrace needs of the machine, before anything is installed or started.
 *
 * @param {Purpose} purpose
 * @param {Env} env
 * @param {AbortSignal} [signal]
 * @throws StackError naming everything that is missing, with the commands that install it
 */
export async function checkMachine(purpose, env, signal) {
  const missing = (await Promise.all(neededTools(purpose, env).map(async (need) => await faultOfTool(need, env, signal)))).filter(
    (fault) => fault !== undefined,
  );
  const faults = [
    ...withoutConsequences(missing).map(({ sentence }) => sentence),
    ...roomFaults(purpose, env),
    ...(await portFaults(purpose, env)),
  ];
  if (faults.length > 0)
    throw new StackError(
      machineMessage(
        faults,
        missing.map(({ need }) => need),
      ),
    );
}

/**
 * The tools that are needed. A part that is already in the cache needs no tool to fetch it.
 *
 * @param {Purpose} purpose
 * @param {Env} env
 * @returns {Exclude<RequirementName, 'node'>[]}
 */
function neededTools({ kind, npm }, env) {
  /** @type {Exclude<RequirementName, 'node'>[]} */
  const needed = npm ? ['npm'] : [];
  if (kind === 'install') return needed;
  const external = kind === 'up' ? externalParts(env) : new Set();
  if (!external.has('kafka')) needed.push('java', ...(isFetched(env, 'kafka.stamp', 'pom.xml') ? [] : /** @type {const} */ (['maven'])));
  // Tests run Python scripts.
  if (kind === 'own-stack') needed.push('python');
  const emulated = !external.has('aws') || !external.has('redis');
  if (emulated && !isFetched(env, 'venv.stamp', 'requirements.txt'))
    needed.push(...(kind === 'own-stack' ? [] : /** @type {const} */ (['python'])), 'venv');
  return needed;
}

/**
 * Tells whether the cache holds every item of a list.
 *
 * @param {Env} env
 * @param {string} stamp
 * @param {string} list
 */
export function isFetched(env, stamp, list) {
  const path = join(cacheOf(env), stamp);
  return existsSync(path) && readFileSync(path, 'utf8') === readFileSync(join(toolFolder, list), 'utf8');
}

/**
 * Without Python its venv module is missing too: one sentence is enough.
 *
 * @param {readonly ToolFault[]} faults
 */
function withoutConsequences(faults) {
  return faults.some(({ need }) => need === 'python') ? faults.filter(({ need }) => need !== 'venv') : faults;
}

/**
 * @param {Purpose} purpose
 * @param {Env} env
 */
function roomFaults({ kind, npm }, env) {
  /** @type {string[]} */
  const faults = [];
  const home = homeOf(env);
  mkdirSync(home, { recursive: true });
  const places = /** @type {const} */ ([
    [root, npm ? room.diskBeforeInstallation : room.disk],
    [home, room.disk],
  ]);
  for (const [path, needed] of places) {
    const { bavail, bsize } = statfsSync(path);
    const free = bavail * bsize;
    if (free < needed && !faults.some((fault) => fault.startsWith('Disk')))
      faults.push(`Disk space is short: ${path} has ${gigabytes(free)} free; ${gigabytes(needed)} are needed.`);
  }
  if (kind !== 'install' && runningNames(env).size === 0 && availableMemory() < room.memory) {
    faults.push(`Memory is short: ${gigabytes(availableMemory())} are available; ${gigabytes(room.memory)} are needed.`);
  }
  return faults;
}

// macOS counts as free only memory that nothing has ever used.
function availableMemory() {
  return process.platform === 'darwin' ? totalmem() : process.availableMemory();
}

/** @param {number} bytes */
function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/**
 * Ports of the parts and services that will be started and do not run yet.
 *
 * @param {Purpose} purpose
 * @param {Env} env
 */
async function portFaults({ kind }, env) {
  const ports = readPorts(env);
  if (kind !== 'up') return [];
  const [external, running] = [externalParts(env), runningNames(env)];
  const starting = [...partNames.filter((name) => !external.has(name)), ...serviceNames].filter((name) => !running.has(name));
  const faults = await Promise.all(
    starting.flatMap((name) =>
      /** @type {import('../places.mjs').PortSetting[]} */ (Object.keys(portSettings[name])).map(async (setting) =>
        (await isTaken(ports[setting])) ? portTaken(ports[setting], name, setting) : undefined,
      ),
    ),
  );
  return faults.filter((fault) => fault !== undefined);
}

/**
 * @param {number} port
 * @param {string} name
 * @param {string} setting
 */
export function portTaken(port, name, setting) {
  return `Port ${port} of ${name} is taken by another process: stop that process, or choose another port with ${setting}.`;
}

/**
 * Names of the parts and services of this stack that run.
 *
 * @param {Env} env
 * @returns {ReadonlySet<string>}
 */
function runningNames(env) {
  const folder = join(homeOf(env), 'run');
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  return new Set(
    files
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
      .flatMap(({ name, pid, startedAt }) => (startOf(pid) === startedAt ? [name] : [])),
  );
}

/**
 * @param {readonly string[]} faults
 * @param {readonly RequirementName[]} missing
 */
export function machineMessage(faults, missing) {
  const lines = ['Millrace cannot start on this machine yet.', ...faults.map((fault) => `  - ${fault}`)];
  if (missing.length > 0) {
    const commands = installCommands(missing);
    const width = Math.max(...commands.map(({ title }) => title.length));
    lines.push('', 'Install the missing tools:', ...commands.map(({ title, command }) => `  ${title.padEnd(width)}  ${command}`));
  }
  return lines.join('\n');
}
