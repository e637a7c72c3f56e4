import { join } from 'node:path';
import { operate, OperatorError } from '@millrace/operator';
import { build } from './build.ts';
import { brokersOf, operatorCommandOf, usageFault } from './command-line.mjs';
import { InterruptedError, StackError } from './errors.mjs';
import { installPrometheus } from './programs/install-prometheus.ts';
import { Interruption } from './interruption.mjs';
import { pinnedNode, root, serviceNames, type Env } from './places.mjs';
import { isBuilt } from './plans.ts';
import { onPrivateStack, urlsOf } from './private-stack.ts';
import { run } from './run-command.mjs';
import { Screen } from './screen.mjs';
import { isService, readSettings } from './settings.ts';
import { Stack } from './stack.ts';
import { tableText } from './table-text.ts';
import { quickTest, test } from './test-command.ts';
import { startTrinoForTests } from './trino/trino-for-tests.ts';
import { up } from './up.ts';

const interruption = new Interruption();

async function main(argv: readonly string[]): Promise<number> {
  const fault = usageFault(argv);
  if (fault !== undefined) throw new StackError(fault);
  const [command = '', ...rest] = argv;
  const screen = new Screen();
  // Standard output belongs to the answer: with --json it is for machines.
  const progress = new Screen(process.stderr);
  const { MILLRACE_PACKAGES_MS: packagesMs, ...env } = process.env;
  const stack = new Stack(readSettings(env, command === 'up' ? brokersOf(rest) : undefined), env, interruption);
  const operation = operatorCommandOf(argv);
  if (operation !== undefined) return await operator(operation.name, argv.slice(operation.words), stack, screen, progress);
  switch (command) {
    case 'up':
      return await up(stack, env, screen, {
        detach: rest.includes('--detach'),
        trino: rest.includes('--trino'),
        packagesMs: Number(packagesMs ?? 0),
        interruption,
      });
    case 'down':
      return await down(stack, screen);
    case 'status':
      return await status(stack, screen, rest.includes('--json'));
    case 'start':
      return await start(stack, screen, rest[0]!, rest[2] ?? rest[0]!);
    case 'stop':
      await screen.step(`Stop ${rest[0]!}`, async (note) => note(await stack.stop(rest[0]!)));
      return 0;
    case 'test':
      return await (rest.includes('--quick') ? quickTest : test)(screen, interruption);
    case 'bench':
      return await runScript(await builtScript('benchmarks', '.', rest[0]!, progress), rest.slice(1), urlsOf(stack, env));
    case 'load':
      return await load(stack, env, rest, progress);
    case 'chaos':
      return await chaos(rest, progress);
    case 'verify':
      return await verify(rest[0]!, rest.slice(1), progress);
    case 'crash-matrix':
      return await verify('crash-matrix', rest, progress);
    default:
      throw new StackError(`There is no command "${command}".`);
  }
}

async function start(stack: Stack, screen: Screen, name: string, alias: string): Promise<number> {
  if (isService(name) && !isBuilt()) await screen.step('Build', async (note) => await build(interruption, note));
  try {
    await screen.step(`Start ${alias}`, async (note) => note(await stack.start(name, alias, note)));
    return 0;
  } catch (error) {
    if (error instanceof InterruptedError) await stack.stopStartedHere((stopped, how) => screen.line(`  ✓ ${stopped}: ${how}`));
    throw error;
  }
}

async function down(stack: Stack, screen: Screen): Promise<number> {
  let count = 0;
  await stack.stopAll((name, how) => {
    count += 1;
    screen.line(`  ✓ ${name}: ${how}`);
  });
  if (count === 0) screen.line('Nothing was running.');
  return 0;
}

async function status(stack: Stack, screen: Screen, json: boolean): Promise<number> {
  const processes = await stack.status();
  if (json) screen.line(JSON.stringify({ processes }));
  else if (processes.length === 0) screen.line('Nothing runs; ./millrace up starts everything.');
  else
    screen.line(
      tableText(
        ['name', 'kind', 'pid', 'url', 'health'],
        processes.map(({ name, kind, pid, url, problem }) => [name, kind, `${pid}`, url, problem ?? 'healthy']),
        { grouped: false },
      ),
    );
  return 0;
}

// The load goes to the services that run, so that its figures are those of the stack of the README.
async function load(stack: Stack, env: Env, args: readonly string[], screen: Screen): Promise<number> {
  const missing = serviceNames.filter((name) => name !== 'projector' && !stack.running().includes(name));
  if (missing.length > 0)
    throw new StackError(`The load needs a running stack, without ${missing.join(', ')} it measures nothing: run ./millrace up --detach.`);
  return await runScript(await builtScript('e2e', 'load', 'main', screen), args, urlsOf(stack, env));
}

// Attacks must not reach a stack that somebody uses. The commands to a running chaos profile need no stack.
async function chaos([action = '', ...rest]: readonly string[], screen: Screen): Promise<number> {
  if (action === 'serve') {
    const path = await builtScript('e2e', 'chaos', 'serve', screen);
    return await onPrivateStack('chaos-serve', [], screen, interruption, async (env) => await runScript(path, rest, env));
  }
  const args = [action, ...rest];
  if (action !== 'run' && action !== 'all') return await runScript(await builtScript('e2e', 'chaos', 'control', screen), args, {});
  const path = await builtScript('e2e', 'chaos', 'main', screen);
  return await onPrivateStack('chaos', [], screen, interruption, async (env) => await runScript(path, args, env));
}

const proofsOnTrino = ['query-kills', 'wait-for'];

// A long proof kills processes, so it runs on a private stack.
async function verify(name: string, args: readonly string[], screen: Screen): Promise<number> {
  const path = await builtScript('e2e', 'verify', name, screen);
  const more = name === 'alarms' ? { MILLRACE_PROMETHEUS: await fetchPrometheus(screen) } : {};
  return await onPrivateStack(`verify-${name}`, [], screen, interruption, async (env, stack) => {
    const trino = proofsOnTrino.includes(name) ? await startTrinoForTests(stack, process.env, screen) : {};
    return await runScript(path, args, { ...env, ...more, ...trino });
  });
}

async function fetchPrometheus(screen: Screen): Promise<string> {
  return await screen.step('Find or fetch Prometheus', async (note) => {
    const binary = await installPrometheus(readSettings(process.env), interruption);
    note(binary);
    return binary;
  });
}

// Benchmarks and long proofs are scripts of their own.
async function builtScript(project: string, folder: string, name: string, screen: Screen): Promise<string> {
  await screen.step('Build', async (note) => await build(interruption, note));
  return join(root, project, 'dist', folder, `${name}.js`);
}

async function runScript(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const { signal, hard } = interruption;
  return (
    await run(pinnedNode, ['--expose-gc', '--disable-warning=TimeoutNegativeWarning', path, ...args], { env, signal, hard, inherit: true })
  ).code;
}

// Commands over a running lake. They work on the parts that the environment names. `verify store` takes any store, so the keys of the local
// stack do not apply.
async function operator(command: string, args: readonly string[], stack: Stack, out: Screen, progress: Screen): Promise<number> {
  const stopping = new AbortController();
  interruption.signal.addEventListener('abort', () => stopping.abort(new OperatorError('Stopped.')), { once: true });
  const env = command === 'verify store' ? definedOf(process.env) : urlsOf(stack, process.env);
  return await operate(command, args, { out, progress, env, table: tableText, root, signal: stopping.signal });
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

interruption.listen();
let code: number;
try {
  code = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof InterruptedError) process.stderr.write('millrace: Interrupted.\n');
  else if (error instanceof StackError || error instanceof OperatorError) process.stderr.write(`millrace: ${error.message}\n`);
  else if (!interruption.signal.aborted) throw error;
  else process.stderr.write(`millrace: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  code = (await interruption.explainsFailure()) ? interruption.exitCode : 1;
}
// Idle connections must not keep the command from returning to the shell.
process.exit(code);
