import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The repository. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));
/** This folder. */
export const docker = join(repository, 'docker');

/** Text of a file under `docker/`. */
export function textOf(path: string): string {
  return readFileSync(join(docker, path), 'utf8');
}

/** A YAML file under `docker/`, merge keys applied. */
export function yamlOf(path: string): unknown {
  return parse(textOf(path), { merge: true });
}

/** Source files of apps and libs, without tests. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts') && !/(^|\/)(node_modules|dist)\//.test(path))
    .map((path) => join(repository, folder, path));
}
