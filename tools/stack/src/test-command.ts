import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { runTargets } from './build.ts';
import { checkPrerequisites } from './install.ts';
import { setUpLake } from './lake-setup.ts';
import type { Screen } from './screen.ts';
import { partNames, readSettings, root, serviceEnv, serviceNames, type Env } from './settings.ts';
import { Stack } from './stack.ts';
import { tallyOf, tallyText } from './test-reports.ts';

const report = 'test-report.json';
const integrationReport = 'test-report.int.json';

/** Runs every test: unit first, then integration and end to end on a stack of its own, which is stopped whatever happens. */
export async function test(screen: Screen): Promise<number> {
  await screen.step('Check what this machine has', async () => await checkPrerequisites());
  const projects = testProjects();
  for (const { folder } of projects) rmSync(join(root, folder, integrationReport), { force: true });

  const problems: string[] = [];
  await screen.step('Build, lint and unit tests', async () => {
    const { code, output } = await runTargets(['build', 'lint', 'test']);
    if (code !== 0) problems.push(`build, lint or unit tests failed:\n${output.trim().split('\n').slice(-200).join('\n')}`);
  });

  const reports = projects.map(({ name, folder }) => ({ project: name, path: join(root, folder, report) }));
  if (problems.length === 0) {
    const { failures, ran } = await integration(screen, projects.filter(({ integration: has }) => has).map(({ name }) => name));
    problems.push(...failures);
    for (const { name, folder } of projects) if (ran.includes(name)) reports.push({ project: name, path: join(root, folder, integrationReport) });
  }

  const tally = tallyOf(reports);
  for (const problem of problems) screen.line(`\n${problem}`);
  const failed = problems.length > 0 && tally.failed.length === 0 ? [problems[0]!.split('\n')[0]!] : tally.failed;
  const none = tally.passed === 0 && failed.length === 0 ? ['no test ran'] : failed;
  screen.line();
  screen.line(tallyText({ ...tally, failed: none }));
  return none.length === 0 ? 0 : 1;
}

async function integration(screen: Screen, projects: readonly string[]): Promise<{ failures: string[]; ran: readonly string[] }> {
  const env = await testEnv();
  const settings = readSettings(env);
  rmSync(settings.home, { recursive: true, force: true });
  const stack = new Stack(settings, env);
  const stop = async (): Promise<void> => await stack.stopAll(() => undefined);
  const onSignal = (): void => void stop().then(() => process.exit(1));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const failures: string[] = [];
  const ran: string[] = [];
  try {
    await screen.step('Start a stack for the tests', async (note) => {
      for (const name of partNames) {
        note(name);
        await stack.startPart(name);
      }
      await setUpLake(settings, env);
      for (const name of serviceNames) {
        note(name);
        await stack.startService(name);
      }
      note(`${partNames.length} parts, ${serviceNames.length} services`);
    });
    const childEnv = testProcessEnv(stack, env);
    for (const project of projects) {
      ran.push(project);
      await screen.step(`Integration tests of ${project}`, async () => {
        const { code, output } = await runTargets(['test-int'], { parallel: 1, env: childEnv, projects: [project] });
        if (code !== 0) failures.push(`Integration tests of ${project} failed:\n${output.trim().split('\n').slice(-150).join('\n')}`);
      });
    }
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await screen.step('Stop the stack', stop);
  }
  return { failures, ran };
}

/** Where the stack's parts and services are, for tests. */
function testProcessEnv(stack: Stack, env: Env): Record<string, string> {
  const { ports } = stack.settings;
  return {
    ...serviceEnv(stack.settings, env),
    KAFKA_PROXIED_BROKERS: `127.0.0.1:${ports.kafkaProxied}`,
    KAFKA_PROXIED_PORT: String(ports.kafkaProxied),
    KAFKA_ADVERTISED_PORT: String(ports.kafkaAdvertised),
    PURCHASE_URL: `http://127.0.0.1:${ports.purchase}`,
    SINK_URL: `http://127.0.0.1:${ports.sink}`,
    QUERY_URL: `http://127.0.0.1:${ports.query}`,
    QUERY_WORKER_URL: `http://127.0.0.1:${ports.queryWorker}`,
  };
}

// Ports of its own, so that the tests run beside a stack that is up; nothing given by the caller's environment but the cache.
async function testEnv(): Promise<Env> {
  const keys = ['KAFKA_PORT', 'KAFKA_CONTROLLER_PORT', 'KAFKA_PROXIED_PORT', 'KAFKA_ADVERTISED_PORT', 'REDIS_PORT', 'AWS_EMULATOR_PORT', 'PURCHASE_PORT', 'SINK_PORT', 'QUERY_PORT', 'QUERY_WORKER_PORT'];
  const ports = await freePorts(keys.length);
  const own = /^(KAFKA|REDIS|AWS|PURCHASE|SINK|QUERY|LAKE)_/;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !own.test(key)));
  return { ...inherited, MILLRACE_HOME: join(root, '.millrace', 'test'), SINK_FLUSH_SECONDS: '2', ...Object.fromEntries(keys.map((key, n) => [key, String(ports[n])])) };
}

/** Ports that nothing listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map(async (server) => await new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Every project of the workspace that has tests. */
function testProjects(): { name: string; folder: string; integration: boolean }[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };
  const folders = workspaces.flatMap((pattern) => (pattern.endsWith('/*') ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -2)}/${name}`) : [pattern]));
  return folders
    .filter((folder) => existsSync(join(root, folder, 'vitest.config.ts')))
    .map((folder) => ({
      name: (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { name: string }).name,
      folder,
      integration: readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' }).some((path) => /\.(int|e2e)\.spec\.ts$/.test(path)),
    }));
}
