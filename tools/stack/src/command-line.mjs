import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { allPartNames, brokerNames, brokerNumbers, optionalPartNames, partNames, root, serviceNames } from './places.mjs';

/** Profiles of `./millrace load`. A test compares them with those of the load itself. */
export const loadProfiles = ['smoke', 'load', 'stress', 'spike', 'breakpoint', 'soak'];

export const usage = `Millrace carries business events from a REST call to an answered SQL question.

  ./millrace up [--detach] [--trino] [--brokers 1|3]
                                      set everything up, start it, and show a first answer; runs until Ctrl-C. --trino starts Trino too,
                                      on the same tables, and a local Athena over it (0.8 GB, Java 24). --brokers 3 starts three
                                      brokers, so that a topic has three replicas
  ./millrace down                     stop everything that runs; the data stays
  ./millrace status [--json]          list the processes with their health
  ./millrace start NAME [--as ALIAS]  start one part or service
  ./millrace stop NAME                stop one part or service
  ./millrace test [--quick]           run every test: unit, integration on real parts, end to end; --quick builds, lints and
                                      runs the unit tests of the projects that changed since the main branch
  ./millrace verify NAME              run one long proof on a stack of its own, outside the tests' time
  ./millrace crash-matrix [--faults N] [--seed S]
                                      inject faults of every kind and count every acknowledged purchase
  ./millrace bench NAME [--json]      run one benchmark against the running stack
  ./millrace load PROFILE [--json]    send open-model load to the running stack, and count every acknowledged event in the table:
                                      ${loadProfiles.join(', ')} [--minutes N|--hours N]
  ./millrace chaos run FILE [--json] [--keep]
                                      run one chaos experiment on a stack of its own; it ends with 0 held, 1 deviated, 2 aborted
  ./millrace chaos all [--only NAME,…] [--json] [--keep]
                                      run every experiment of chaos/ and compare each verdict with the expected one; --keep writes
                                      those as expected to docs/chaos-results.json
  ./millrace chaos serve [--port N]   start services in the chaos profile, with an endpoint that attacks them; runs until Ctrl-C
  ./millrace chaos attack NAME TARGET [--seconds N] [--set KEY=VALUE]
                                      begin an attack there; ./millrace chaos attacks lists them, chaos stop [ID] ends them

  ./millrace audit [--deep] [--json] [--table T]
                                      prove the table complete, or name each missing event
  ./millrace crawl [--policy log|update|deprecate] [--json] [--table T]
                                      compare columns and days of the files with the catalog, and apply safe differences
  ./millrace trace EVENT_ID [--deep] [--json]
                                      show where an event is: topic, offset, batch, file, day; or why it is not in the table
  ./millrace rejects list|show|redrive
                                      show the records that failed validation; publish corrected rejects under the same event ids
  ./millrace repair [--apply]         publish again, or record as lost, files that were deleted by hand
  ./millrace replay [--from T --to T] [--into TABLE] [--switch]
                                      rebuild the table from the topic beside the live one, and compare the two
  ./millrace lake rebuild [--json] [--table T]
                                      make the Iceberg table anew from the ledger while queries continue
  ./millrace doctor [--json]          check what the tables depend on: topics, object store, catalog
  ./millrace verify store URL [--large-mb N] [--json]
                                      test whether an object store is sound: conditional writes, consistency, lists, ranges

Parts: ${partNames.join(' ')}, on demand ${optionalPartNames.join(' ')}. Services: ${serviceNames.join(' ')}.
`;

/** Commands over a running lake. They read their arguments themselves. */
export const operatorCommands = ['audit', 'crawl', 'trace', 'rejects', 'repair', 'replay', 'lake rebuild', 'doctor', 'verify store'];

/**
 * The command of the operator that a command line names, and the number of its words.
 *
 * @param {readonly string[]} argv
 */
export function operatorCommandOf([command = '', word = '']) {
  const name = [`${command} ${word}`, command].find((one) => operatorCommands.includes(one));
  return name === undefined ? undefined : { name, words: name.split(' ').length };
}

/**
 * The parts that a command checks for.
 *
 * @param {readonly string[]} argv
 * @returns {import('./machine/check-machine.mjs').Purpose['kind']}
 */
export function purposeOf(argv) {
  const [command = '', ...rest] = argv;
  if (command === 'up') return 'up';
  if (operatorCommandOf(argv) !== undefined) return 'install';
  const ownStack =
    ['verify', 'crash-matrix'].includes(command) ||
    (command === 'chaos' && chaosActions[rest[0] ?? ''] === 'own-stack') ||
    (command === 'test' && !rest.includes('--quick'));
  return ownStack ? 'own-stack' : 'install';
}

/**
 * Commands of the chaos lab that need a stack. The others talk to the profile that `serve` runs.
 *
 * @type {Readonly<Record<string, 'own-stack' | undefined>>}
 */
const chaosActions = { run: 'own-stack', all: 'own-stack', serve: 'own-stack' };

const helpWords = new Set(['help', '--help', '-h']);

/**
 * Whether a command line asks for the usage.
 *
 * @param {readonly string[]} argv
 */
export function asksForHelp(argv) {
  const [command, ...rest] = argv;
  if (command === undefined || helpWords.has(command)) return true;
  return operatorCommandOf(argv) === undefined && rest.some((argument) => argument === '--help' || argument === '-h');
}

/**
 * The fault in a command line, found without an installation.
 *
 * @param {readonly string[]} argv
 * @returns {string | undefined} undefined when there is none
 */
export function usageFault(argv) {
  if (operatorCommandOf(argv) !== undefined) return undefined;
  const [command = '', ...rest] = argv;
  switch (command) {
    case 'up':
      return brokersFault(rest) ?? unknownOption(command, withoutBrokers(rest), ['--detach', '--trino', '--brokers']);
    case 'status':
      return unknownOption(command, rest, ['--json']);
    case 'test':
      return unknownOption(command, rest, ['--quick']);
    case 'down':
      return unknownOption(command, rest, []);
    case 'start':
      return startFault(rest);
    case 'stop':
      return rest.length === 1 ? undefined : 'Usage: ./millrace stop NAME';
    case 'bench':
      return unknownScript(command, rest[0], scriptNames('benchmarks', '.'));
    case 'load':
      return loadFault(rest);
    case 'chaos':
      return chaosFault(rest);
    case 'verify':
      return unknownScript(command, rest[0], [...scriptNames('e2e', 'verify'), 'store URL']);
    case 'crash-matrix':
      return undefined;
    default:
      return `There is no command "${command}".\n\n${usage}`;
  }
}

/**
 * Names of the scripts in a folder of a project: the long proofs, the benchmarks.
 *
 * @param {string} project
 * @param {string} folder
 */
export function scriptNames(project, folder) {
  return readdirSync(join(root, project, 'src', folder)).flatMap((file) => /^([a-z][a-z0-9-]*)\.ts$/.exec(file)?.[1] ?? []);
}

/**
 * @param {string} command
 * @param {readonly string[]} given
 * @param {readonly string[]} known
 */
function unknownOption(command, given, known) {
  const unknown = given.find((argument) => !known.includes(argument));
  if (unknown === undefined) return undefined;
  return `Unknown argument "${unknown}": ./millrace ${command} takes ${known.length === 0 ? 'no arguments' : known.join(', ')}.`;
}

/**
 * The number of brokers that `up` is asked for; undefined when the home decides.
 *
 * @param {readonly string[]} given
 */
export function brokersOf(given) {
  const at = given.indexOf('--brokers');
  return at < 0 ? undefined : brokerNumbers.find((brokers) => String(brokers) === given[at + 1]);
}

/** @param {readonly string[]} given */
function brokersFault(given) {
  return !given.includes('--brokers') || brokersOf(given) !== undefined ? undefined : `--brokers takes ${brokerNumbers.join(' or ')}.`;
}

/** @param {readonly string[]} given */
function withoutBrokers(given) {
  const at = given.indexOf('--brokers');
  return at < 0 ? given : [...given.slice(0, at), ...given.slice(at + 2)];
}

/** @param {readonly string[]} given */
function loadFault([profile, ...options]) {
  const known = ['--json', '--minutes', '--hours'];
  if (profile === undefined || !loadProfiles.includes(profile)) return `./millrace load takes one of: ${loadProfiles.join(', ')}.`;
  const unknown = options.find((option) => option.startsWith('-') && !known.includes(option));
  return unknown === undefined ? undefined : `Unknown argument "${unknown}": ./millrace load takes ${known.join(', ')}.`;
}

/** @param {readonly string[]} given */
function chaosFault([action = '', ...rest]) {
  const words = rest.filter((argument, n) => !argument.startsWith('-') && !/^--(only|port|seconds|set)$/.test(rest[n - 1] ?? '')).length;
  /** @type {Readonly<Record<string, readonly number[]>>} */
  const counts = { run: [1], all: [0], serve: [0], attack: [2], attacks: [0], stop: [0, 1] };
  return counts[action]?.includes(words) === true
    ? undefined
    : `Usage: ./millrace chaos run FILE [--json] [--keep], or ./millrace chaos all [--only NAME,…] [--json] [--keep]
       ./millrace chaos serve [--port N], chaos attack NAME TARGET [--seconds N] [--set KEY=VALUE], chaos attacks, chaos stop [ID]`;
}

/** @param {readonly string[]} given */
function startFault([name, flag, alias, ...more]) {
  const isAlias = flag === '--as' && alias !== undefined && /^[a-z0-9][a-z0-9-]*$/.test(alias);
  if (name === undefined || more.length > 0 || (flag !== undefined && !isAlias)) return 'Usage: ./millrace start NAME [--as ALIAS]';
  const known = [...allPartNames, ...brokerNames, ...serviceNames].some((one) => one === name);
  return known ? undefined : `There is no "${name}": the parts are ${allPartNames.join(', ')}, the services ${serviceNames.join(', ')}.`;
}

/**
 * @param {string} command
 * @param {string | undefined} name
 * @param {readonly string[]} names
 */
function unknownScript(command, name, names) {
  return name !== undefined && names.includes(name) ? undefined : `./millrace ${command} takes one of: ${names.join(', ')}.`;
}
