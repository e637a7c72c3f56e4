import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../repository.ts';

const execute = promisify(execFile);

let folder: string;
/** Runs a command in the scratch clone. */
const run = async (command: string, ...args: readonly string[]): Promise<string> => {
  const { stdout } = await execute(command, args, { cwd: folder });
  return stdout.trim();
};
const versionOf = async (path: string): Promise<string> =>
  (JSON.parse(await readFile(join(folder, path), 'utf8')) as { version: string }).version;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-release-'));
  await execute('git', ['clone', '--quiet', repository, folder]);
  await run('git', 'config', 'user.name', 'Release');
  await run('git', 'config', 'user.email', 'release@example.com');
  // The settings of this working copy, including uncommitted changes.
  for (const file of ['.versionrc.mjs', 'package.json', 'package-lock.json']) await copyFile(join(repository, file), join(folder, file));
  await run('git', 'add', '--all');
  await run('git', 'commit', '--quiet', '--allow-empty', '-m', 'chore: the state of the working copy');
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  await run('git', 'tag', `v${await versionOf('package.json')}`);
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('npm run release', () => {
  it('a fix and a feature give the next version, its changelog, one version for every package, and a tag', async () => {
    const before = await versionOf('package.json');
    await run('git', 'commit', '--quiet', '--allow-empty', '-m', 'feat(sink): a planted feature');
    await run('git', 'commit', '--quiet', '--allow-empty', '-m', 'fix(query-api): a planted fix');
    await run('npm', 'run', 'release');

    const version = await versionOf('package.json');
    expect(version).not.toBe(before);
    expect(await run('git', 'tag', '--points-at', 'HEAD')).toBe(`v${version}`);
    expect(await run('git', 'log', '-1', '--format=%s')).toBe(`chore(release): ${version}`);

    const changes = await readFile(join(folder, 'CHANGELOG.md'), 'utf8');
    expect(changes).toContain(`## ${version}`);
    expect(changes).toMatch(/### Features\n\n\* \*\*sink:\*\* a planted feature [^]*### Fixes\n\n\* \*\*query-api:\*\* a planted fix /);

    const chart = await readFile(join(folder, 'deploy', 'helm', 'millrace', 'Chart.yaml'), 'utf8');
    expect(chart.match(/^(?:version|appVersion): .*/gm)).toEqual([`version: ${version}`, `appVersion: ${version}`]);
    expect(await readFile(join(folder, 'docker', 'Dockerfile'), 'utf8')).toContain(`ARG VERSION=${version}\n`);

    const manifests = globSync(['{libs,apps,tools}/*/package.json', '{deploy,docker,e2e,examples,benchmarks}/package.json'], {
      cwd: folder,
    });
    expect(manifests.length).toBeGreaterThan(15);
    for (const path of [...manifests, 'package-lock.json']) {
      const text = await readFile(join(folder, path), 'utf8');
      expect([path, (JSON.parse(text) as { version: string }).version]).toEqual([path, version]);
      expect(text.match(/"@millrace\/[^"]+": "[^"]+"/g)?.filter((line) => !line.endsWith(`"${version}"`)) ?? []).toEqual([]);
    }
  });

  it('the lock file fits the manifests', async () => {
    expect(await run('npm', 'ci', '--dry-run', '--ignore-scripts', '--offline')).not.toBe('');
  });
});
