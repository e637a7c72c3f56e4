import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findJava } from './find-java.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'find-java-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A fake Java that only prints its version. */
function install(name: string, version: string): string {
  const folder = join(root, name, 'bin');
  mkdirSync(folder, { recursive: true });
  const command = join(folder, 'java');
  writeFileSync(command, `#!/bin/sh\necho 'openjdk version "${version}" 2025-09-16' >&2\n`);
  chmodSync(command, 0o755);
  return command;
}

const find = async (env: Record<string, string>): Promise<string | undefined> =>
  await findJava(24, { PATH: '/nowhere', ...env }, { folders: [[join(root, 'jvm'), '']] });

it('the Java of JAVA_HOME precedes those of the system', async () => {
  install('jvm/java-25', '25.0.1');
  const own = install('own', '24');
  expect(await find({ JAVA_HOME: join(root, 'own') })).toBe(own);
});

it('a newer Java of the system is found when JAVA_HOME is too old', async () => {
  install('jvm/java-17', '17.0.15');
  const newer = install('jvm/java-25', '25.0.1');
  install('own', '17.0.15');
  expect(await find({ JAVA_HOME: join(root, 'own') })).toBe(newer);
});

it('a machine with only old versions has no suitable Java', async () => {
  install('jvm/java-8', '1.8.0_402');
  install('jvm/java-17', '17.0.15');
  expect(await find({})).toBeUndefined();
});
