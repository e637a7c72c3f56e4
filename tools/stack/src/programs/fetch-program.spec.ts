import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readSettings } from '../settings.ts';
import { fetchProgram, type FetchOptions, findProgram, succeeds, type Program } from './fetch-program.ts';

const interrupts = { signal: new AbortController().signal, hard: new AbortController().signal };
let cache: string;
const settings = () => readSettings({ MILLRACE_CACHE: cache });
const without = async (): Promise<undefined> => undefined;
async function withOne({ cwd }: FetchOptions): Promise<string> {
  const path = join(cwd, 'made');
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}
const program = (...sources: Program['sources']): Program => ({ name: 'millrace-absent-program', versionArgs: [], sources });

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'millrace-programs-'));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

it('a program of the machine is used and not fetched', async () => {
  expect(await fetchProgram({ name: 'true', versionArgs: [], sources: [withOne] }, settings(), interrupts)).toBe('true');
  expect(readdirSync(cache)).toEqual([]);
});

it('the first source that has the program fills the cache, and later calls find it there', async () => {
  const path = await fetchProgram(program(without, withOne), settings(), interrupts);
  expect(path).toBe(join(cache, 'millrace-absent-program', 'millrace-absent-program'));
  expect(existsSync(path!)).toBe(true);
  expect(await findProgram(program(), settings(), interrupts)).toBe(path);
});

it('a program that no source has is absent, and leaves nothing in the cache', async () => {
  expect(await fetchProgram(program(without), settings(), interrupts)).toBeUndefined();
  expect(readdirSync(cache)).toEqual([]);
});

it('a command that takes longer than its limit is ended, and counts as failed', async () => {
  expect(await succeeds('sleep', ['60'], interrupts, 50)).toBe(false);
});
