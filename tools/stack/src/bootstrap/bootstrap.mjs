import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { asksForHelp, purposeOf, usage, usageFault } from '../command-line.mjs';
import { InterruptedError, StackError } from '../errors.mjs';
import { endingSignals, exitCodeOf, Interruption } from '../interruption.mjs';
import { checkMachine } from '../machine/check-machine.mjs';
import { pinnedNode, root, toolFolder } from '../places.mjs';
import { Screen } from '../screen.mjs';
import { installPackages, packagesInstalled } from './install-packages.mjs';

/**
 * Runs commands that need no installation. For all others it checks the machine, installs the npm packages and starts the stack tool on the
 * pinned Node.
 *
 * @param {readonly string[]} argv
 */
export async function bootstrap(argv) {
  if (asksForHelp(argv)) return void process.stdout.write(usage);
  const fault = usageFault(argv);
  if (fault !== undefined) return fail(fault, 1);
  const interruption = new Interruption();
  interruption.listen();
  try {
    const packagesMs = await prepare(argv, interruption);
    handOver(argv, packagesMs);
  } catch (error) {
    if (error instanceof InterruptedError)
      return fail('Interrupted. Nothing was left running; the next command continues.', interruption.exitCode);
    if (error instanceof StackError) return fail(error.message, 1);
    throw error;
  }
}

/**
 * @param {readonly string[]} argv
 * @param {Interruption} interruption
 * @returns {Promise<number>} how long the installation took, in milliseconds; 0 when there was none
 */
async function prepare(argv, { signal, hard }) {
  const npm = !packagesInstalled();
  const kind = purposeOf(argv);
  if (!npm && kind === 'install') return 0;
  // Standard output belongs to the command's answer.
  const screen = new Screen(['up', 'test'].includes(argv[0] ?? '') ? process.stdout : process.stderr);
  await screen.step('Check this machine', async () => await checkMachine({ kind, npm }, process.env, signal));
  return npm ? await installPackages(screen, signal, hard) : 0;
}

/**
 * @param {readonly string[]} argv
 * @param {number} packagesMs
 */
function handOver(argv, packagesMs) {
  // kafkajs 2.2 now and then sets a timer in the past, and Node 24 warns about it.
  const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
  const main = join(toolFolder, 'src', 'main.ts');
  const env = {
    ...process.env,
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    MILLRACE_PACKAGES_MS: String(packagesMs),
  };
  const child = spawn(pinnedNode, ['--conditions=@millrace/source', ...quiet, main, ...argv], { stdio: 'inherit', env });
  for (const name of endingSignals) process.on(name, () => child.kill(name));
  child.on('error', (error) =>
    fail(`${pinnedNode} cannot be started: ${error.message}. Delete node_modules to install the packages again.`, 1),
  );
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : exitCodeOf(signal)));
}

/**
 * @param {string} message
 * @param {number} code
 */
function fail(message, code) {
  process.stderr.write(`millrace: ${message.trimEnd()}\n`);
  process.exitCode = code;
}
