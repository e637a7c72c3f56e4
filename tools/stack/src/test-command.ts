import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, projectsChangedSince, runTargets, type Interrupts } from './build.ts';
import { InterruptedError, StackError } from './errors.mjs';
import { root, serviceNames } from './places.mjs';
import { onPrivateStack } from './private-stack.ts';
import { installHelm } from './programs/install-helm.ts';
import { findPrometheus } from './programs/install-prometheus.ts';
import { run } from './run-command.mjs';
import type { Screen } from './screen.mjs';
import { readSettings } from './settings.ts';
import { tallyOf, tallyText } from './test-reports.ts';
import { startTrinoForTests } from './trino/trino-for-tests.ts';

const report = 'test-report.json';
const integrationReport = 'test-report.int.json';

/**
 * Projects whose integration tests run beside each other, since they wait most of their time. Those of the sink and of the purchase API
 * kill Kafka, so they run beside projects that do not use it. All others run alone.
 */
const besideEachOther = [
  ['@millrace/purchase', '@millrace/lake', '@millrace/runtime', '@millrace/deploy'],
  ['@millrace/sink', '@millrace/query-api'],
  ['@millrace/operator', '@millrace/testing', '@millrace/checks', '@millrace/stack', '@millrace/examples'],
];

/** Runs every test: unit first, then integration and end to end on a private stack. The stack is stopped in any case. */
export async function test(screen: Screen, interrupts: Interrupts): Promise<number> {
  const projects = testProjects();
  for (const { folder } of projects) rmSync(join(root, folder, integrationReport), { force: true });

  const problems: string[] = [];
  await screen
    .step('Build', async (note) => await build(interrupts, note))
    .catch((error: unknown) => {
      if (!(error instanceof StackError)) throw error;
      problems.push(error.message);
    });
  if (problems.length === 0)
    await screen.step('Lint and unit tests', async (note) => {
      const { code, output } = await runTargets(['lint', 'test'], interrupts, { onTask: (finished) => note(`${finished} tasks`) });
      if (code !== 0) problems.push(`lint or unit tests failed:\n${output.trim().split('\n').slice(-200).join('\n')}`);
    });

  const reports = projects.map(({ name, folder }) => ({ project: name, path: join(root, folder, report) }));
  if (problems.length === 0) {
    const { failures, ran } = await integration(
      screen,
      interrupts,
      projects.filter(({ integration: has }) => has).map(({ name }) => name),
    );
    problems.push(...failures);
    for (const { name, folder } of projects)
      if (ran.includes(name)) reports.push({ project: `${name} (integration)`, path: join(root, folder, integrationReport) });
  }

  const tally = tallyOf(reports);
  for (const problem of problems) screen.line(`\n${problem}`);
  const failed = problems.length > 0 && tally.failed.length === 0 ? [problems[0]!.split('\n')[0]!] : tally.failed;
  const none = tally.passed === 0 && failed.length === 0 ? ['no test ran'] : failed;
  screen.line();
  screen.line(tallyText({ ...tally, failed: none }));
  return none.length === 0 ? 0 : 1;
}

/**
 * Builds, lints and tests the projects that changed since a base: unit tests only. The base is the place where this branch left the
 * remote's main branch, or else the commit before the last.
 */
export async function quickTest(screen: Screen, interrupts: Interrupts): Promise<number> {
  const base = await baseCommit(interrupts);
  const names = await screen.step(`Find what changed since ${base.slice(0, 10)}`, async (note) => {
    const changed = await projectsChangedSince(base, interrupts);
    note(`${changed.length} projects`);
    return changed;
  });
  await screen.step('Build', async (note) => await build(interrupts, note));
  const { code, output } = await screen.step('Lint and unit tests', async (note) => {
    return await runTargets(['lint', 'test'], interrupts, { changedSince: base, onTask: (finished) => note(`${finished} tasks`) });
  });
  const reports = testProjects().flatMap(({ name, folder }) =>
    names.includes(name) ? [{ project: name, path: join(root, folder, report) }] : [],
  );
  const tally = tallyOf(reports);
  if (code !== 0) screen.line(`\n${output.trim().split('\n').slice(-100).join('\n')}`);
  const failed = code !== 0 && tally.failed.length === 0 ? ['lint or unit tests failed'] : tally.failed;
  screen.line();
  screen.line(tallyText({ ...tally, failed }));
  return failed.length === 0 ? 0 : 1;
}

async function baseCommit({ signal, hard }: Interrupts): Promise<string> {
  const attempts = [
    ['merge-base', 'HEAD', 'origin/HEAD'],
    ['merge-base', 'HEAD', 'origin/main'],
    ['rev-parse', '--verify', 'HEAD~1'],
  ];
  for (const args of attempts) {
    const { code, output } = await run('git', args, { cwd: root, signal, hard });
    if (code === 0) return output.trim();
  }
  throw new StackError('There is no commit to compare with: --quick needs a clone with at least two commits. Run ./millrace test instead.');
}

async function integration(
  screen: Screen,
  interrupts: Interrupts,
  projects: readonly string[],
): Promise<{ failures: string[]; ran: readonly string[] }> {
  const failures: string[] = [];
  const ran: string[] = [];
  try {
    const prometheus = await findPrometheus(readSettings(process.env), interrupts);
    const helm = await installHelm(readSettings(process.env), interrupts);
    await onPrivateStack('test', serviceNames, screen, interrupts, async (given, stack) => {
      const common = {
        ...given,
        ...(prometheus === undefined ? {} : { MILLRACE_PROMETHEUS: prometheus }),
        ...(helm === undefined ? {} : { MILLRACE_HELM: helm }),
      };
      for (const group of groupsOf(projects)) {
        ran.push(...group);
        const names = group.join(' and ');
        // Only for the project that tests it: it holds 1.5 GB.
        const trino = group.includes('@millrace/query-api');
        const env = trino ? { ...common, ...(await startTrinoForTests(stack, given, screen)) } : common;
        await screen.step(`Integration tests of ${names}`, async () => {
          const { code, output } = await runTargets(['test-int'], interrupts, { parallel: group.length, env, projects: group });
          if (code !== 0) failures.push(`Integration tests of ${names} failed:\n${output.trim().split('\n').slice(-300).join('\n')}`);
        });
        if (stack.running().includes('trino')) await stack.stop('trino');
      }
    });
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    failures.push(error instanceof Error ? error.message : String(error));
  }
  return { failures, ran };
}

/** In the order given; a group takes the place of its first project. */
function groupsOf(projects: readonly string[]): readonly string[][] {
  const groups = projects.map((project) => {
    const group = besideEachOther.find((names) => names.includes(project));
    return group === undefined ? [project] : projects.filter((other) => group.includes(other));
  });
  return groups.filter((group, n) => group[0] === projects[n]);
}

/** Every project of the workspace that has tests. */
function testProjects(): { name: string; folder: string; integration: boolean }[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };
  const folders = workspaces.flatMap((pattern) =>
    pattern.endsWith('/*') ? readdirSync(join(root, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -2)}/${name}`) : [pattern],
  );
  return folders
    .filter((folder) => existsSync(join(root, folder, 'vitest.config.ts')))
    .map((folder) => ({
      name: (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { name: string }).name,
      folder,
      integration: readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' }).some((path) =>
        /\.(int|e2e)\.spec\.ts$/.test(path),
      ),
    }));
}
