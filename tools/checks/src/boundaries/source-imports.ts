import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../repository.ts';
import type { Project } from './project-graph.ts';

/** One import, export-from or dynamic import in a source file. */
export interface SourceImport {
  /** Path relative to the repository. */
  readonly file: string;
  /** The specifier as written. */
  readonly specifier: string;
}

/** Everything that the sources of the projects import. */
export function readSourceImports(projects: readonly Project[]): SourceImport[] {
  return projects.flatMap(({ folder }) => readProjectImports(folder));
}

/** Lists the imports of one project, type-only imports included. @param folder Its folder, relative to the repository. */
export function readProjectImports(folder: string): SourceImport[] {
  return readdirSync(join(repository, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .flatMap((path) => {
      const file = `${folder}/src/${path}`;
      return importsOf(readFileSync(join(repository, file), 'utf8')).map((specifier) => ({ file, specifier }));
    });
}

/** Returns the specifiers that a source text imports. */
export function importsOf(text: string): string[] {
  const statements = text.matchAll(/^(?:import\s*|(?:import|export)\b[^'"`;=]*?\bfrom\s*)'([^']+)'/gm);
  const calls = text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g);
  return [...statements, ...calls].map((match) => match[1]!);
}
