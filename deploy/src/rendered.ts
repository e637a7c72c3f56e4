import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import type { Manifest } from './manifest-faults.ts';

/** The repository. */
export const repository = join(import.meta.dirname, '..', '..');
/** The chart. */
export const chart = join(repository, 'deploy', 'helm', 'millrace');

/** Text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** A YAML file of the chart. */
export function chartYaml(name: string): unknown {
  return parse(readFileSync(join(chart, name), 'utf8'));
}

/** Runs Helm. Its notes about linked files are left out of the output. */
export async function helm(args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.env['MILLRACE_HELM']!, args, { maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, output: stdout + withoutInfo(stderr) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + withoutInfo(stderr) };
  }
}

/** Manifests that `helm template` makes with a values file and settings of the command line. */
export async function rendered(values: string, settings: readonly string[] = []): Promise<Manifest[]> {
  const sets = settings.flatMap((one) => ['--set', one]);
  const { code, output } = await helm(['template', 'millrace', chart, '--namespace', 'shop', '-f', join(chart, values), ...sets]);
  if (code !== 0) throw new Error(output);
  return parseAllDocuments(output).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

function withoutInfo(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.includes('found symbolic link'))
    .join('\n');
}
