import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { builtFile } from '../built-file.ts';
import { dropUnsynced } from './power-attack.ts';

// A service that syncs a first record and its directory, and then writes a second record and a second file.
const service = `
  const { open } = await import('node:fs/promises');
  const folder = process.env.CHAOS_POWER_FOLDER;
  const log = await open(folder + '/log', 'wx+');
  await log.write('first');
  await log.datasync();
  const directory = await open(folder, 'r');
  await directory.sync();
  await log.write(' second');
  const other = await open(folder + '/other', 'wx+');
  await other.write('third');
  await other.datasync();
`;

let home: string;
let folder: string;
let copies: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'millrace-power-'));
  [folder, copies] = [join(home, 'outbox'), join(home, 'copies')];
  mkdirSync(folder);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function runService(fsync: 'on' | 'off'): Promise<void> {
  const args = ['--import', pathToFileURL(builtFile('stage/power.js')).href, '--input-type=module', '-e', service];
  const env = { ...process.env, CHAOS_POWER_FOLDER: folder, CHAOS_POWER_COPY: copies, CHAOS_FSYNC: fsync };
  await promisify(execFile)(process.execPath, args, { env });
}

it('a power cut leaves the bytes and the directory entries that fsync has confirmed', async () => {
  await runService('on');
  expect(readdirSync(folder).toSorted()).toEqual(['log', 'other']);
  expect(dropUnsynced({ folder, copies })).toEqual({ before: 17, after: 5 });
  // The entry of the other file was never synced.
  expect(readdirSync(folder)).toEqual(['log']);
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('first');
});

it('a power cut leaves nothing where fsync does nothing', async () => {
  await runService('off');
  dropUnsynced({ folder, copies });
  expect(readdirSync(folder)).toEqual([]);
});
