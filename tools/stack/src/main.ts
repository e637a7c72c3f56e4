import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { operate, operatorCommands, OperatorError } from '@millrace/operator';
import { build } from './build.ts';
import { StackError } from './errors.ts';
import { installPrometheus } from './install-prometheus.ts';
import { isBuilt } from './plans.ts';
import { onPrivateStack, urlsOf } from './private-stack.ts';
import { Screen, tableText } from './screen.ts';
import { isService, readSettings, root } from './settings.ts';
import { Stack } from './stack.ts';
import { test } from './test-command.ts';
import { up } from './up.ts';

const usage = `Millrace carries business events from a REST call to an answered SQL question.

  ./millrace up [--detach]            set everything up, start it, and show a first answer; stays until Ctrl-C
  ./millrace down                     stop what up started; the data stays
  ./millrace status [--json]          what runs, and how healthy it is
  ./millrace start NAME [--as ALIAS]  start one part or service alone
  ./millrace stop NAME                stop one
  ./millrace test                     every test: unit, integration on real parts, end to end
  ./millrace verify NAME              one long proof, on a stack of its own, outside the tests' time
  ./millrace crash-matrix [--faults N] [--seed S]
                                      faults of every kind on a stack of its own; counts every acknowledged purchase
  ./millrace bench NAME [--json]      one benchmark, against what runs

  ./millrace audit [--deep] [--json] [--table T]
                                      proves the table complete, or names what is missing
  ./millrace trace EVENT_ID [--deep] [--json]
                                      where an event is: topic, offset, batch, file, day; or why it is none
  ./millrace rejects list|show|redrive
                                      what broke the contract; corrected, it is put through again under its own id
  ./millrace repair [--apply]         publishes again, or records as lost, what was deleted by hand
  ./millrace replay [--from T --to T] [--into TABLE] [--switch]
                                      rebuilds the table from the topic beside the live one, and compares the two

Parts: kafka redis aws. Services: purchase sink query-api query-worker.
`;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  const screen = new Screen();
  // Scripts own standard output: with --json it is for machines.
  const progress = new Screen(process.stderr);
  const env = process.env;
  const stack = new Stack(readSettings(env), env);
  switch (command) {
    case 'up': {
      only(rest, ['--detach']);
      await up(stack, env, screen);
      if (rest.includes('--detach')) return 0;
      screen.line('Ctrl-C stops everything.');
      await new Promise<void>((resolve) => {
        process.once('SIGINT', () => resolve());
        process.once('SIGTERM', () => resolve());
        setInterval(() => undefined, 60_000);
      });
      screen.line();
      await down(stack, screen);
      return 0;
    }
    case 'down':
      only(rest, []);
      await down(stack, screen);
      return 0;
    case 'status':
      only(rest, ['--json']);
      return await status(stack, screen, rest.includes('--json'));
    case 'start': {
      const { name, alias } = nameOf(command, rest, true);
      if (isService(name) && !isBuilt()) await screen.step('Build', async () => await build());
      await screen.step(`Start ${alias}`, async (note) => note(await stack.start(name, alias)));
      return 0;
    }
    case 'stop': {
      const { name } = nameOf(command, rest, false);
      await screen.step(`Stop ${name}`, async (note) => note(await stack.stop(name)));
      return 0;
    }
    case 'test':
      only(rest, []);
      return await test(screen);
    case 'bench':
      return await runScript(await builtScript('benchmarks', '.', command, rest[0], progress), rest.slice(1), urlsOf(stack, env));
    case 'verify':
      return await verify(rest[0], rest.slice(1), progress);
    case 'crash-matrix':
      return await verify('crash-matrix', rest, progress);
    case undefined:
    case 'help':
    case '--help':
      screen.line(usage);
      return 0;
    default:
      if (operatorCommands.includes(command)) return await operator(command, rest, stack, screen, progress);
      throw new StackError(`There is no command "${command}".\n\n${usage}`);
  }
}

async function down(stack: Stack, screen: Screen): Promise<void> {
  let count = 0;
  await stack.stopAll((name, how) => {
    count += 1;
    screen.line(`  ✓ ${name}: ${how}`);
  });
  if (count === 0) screen.line('Nothing was running.');
}

async function status(stack: Stack, screen: Screen, json: boolean): Promise<number> {
  const processes = await stack.status();
  if (json) screen.line(JSON.stringify({ processes }));
  else if (processes.length === 0) screen.line('Nothing runs; ./millrace up starts everything.');
  else screen.line(tableText(['name', 'kind', 'pid', 'url', 'health'], processes.map(({ name, kind, pid, url, problem }) => [name, kind, `${pid}`, url, problem ?? 'healthy']), { grouped: false }));
  return 0;
}

// A long proof runs on a stack of its own: it kills what it finds.
async function verify(name: string | undefined, args: readonly string[], screen: Screen): Promise<number> {
  const path = await builtScript('e2e', 'verify', 'verify', name, screen);
  const more = name === 'alarms' ? { MILLRACE_PROMETHEUS: await fetchPrometheus(screen) } : {};
  return await onPrivateStack(`verify-${name}`, [], screen, async (env) => await runScript(path, args, { ...env, ...more }));
}

async function fetchPrometheus(screen: Screen): Promise<string> {
  return await screen.step('Find or fetch Prometheus', async (note) => {
    const binary = await installPrometheus(readSettings(process.env));
    note(binary);
    return binary;
  });
}

// Benchmarks and long proofs are scripts of their own.
async function builtScript(folder: string, scripts: string, command: string, name: string | undefined, screen: Screen): Promise<string> {
  const names = readdirSync(join(root, folder, 'src', scripts)).flatMap((file) => /^([a-z][a-z0-9-]*)\.ts$/.exec(file)?.[1] ?? []);
  if (name === undefined || !names.includes(name)) throw new StackError(`./millrace ${command} takes one of: ${names.join(', ')}.`);
  await screen.step('Build', async () => await build());
  return join(root, folder, 'dist', scripts, `${name}.js`);
}

async function runScript(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), ['--expose-gc', '--disable-warning=TimeoutNegativeWarning', path, ...args], { stdio: 'inherit', env });
  // Ctrl-C reaches the child by itself; it ends in its own way, and so do we.
  const onSignal = (signal: NodeJS.Signals): void => void (signal === 'SIGTERM' && child.kill(signal));
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

// Commands over a running lake. They work on whatever parts the environment names.
async function operator(command: string, args: readonly string[], stack: Stack, out: Screen, progress: Screen): Promise<number> {
  const stopping = new AbortController();
  const onSignal = (): void => stopping.abort(new OperatorError('Stopped.'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    return await operate(command, args, { out, progress, env: urlsOf(stack, process.env), table: tableText, root, signal: stopping.signal });
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function only(given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((argument) => !known.includes(argument));
  if (unknown !== undefined) throw new StackError(`"${unknown}" is not known here${known.length === 0 ? '' : `; known is ${known.join(', ')}`}.`);
}

function nameOf(command: string, given: readonly string[], aliases: boolean): { name: string; alias: string } {
  const [name, flag, alias, ...more] = given;
  const wrong = name === undefined || more.length > 0 || (flag !== undefined && (!aliases || flag !== '--as' || alias === undefined || !/^[a-z0-9][a-z0-9-]*$/.test(alias)));
  if (wrong) throw new StackError(`Usage: ./millrace ${command} NAME${aliases ? ' [--as ALIAS]' : ''}`);
  return { name, alias: alias ?? name };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StackError || error instanceof OperatorError)) throw error;
  process.stderr.write(`millrace: ${error.message}\n`);
  process.exitCode = 1;
}
