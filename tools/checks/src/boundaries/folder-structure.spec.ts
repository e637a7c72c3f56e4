import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../repository.ts';
import { describeFolders, structureViolations } from './folder-structure.ts';
import { readProjectGraph } from './project-graph.ts';
import { readProjectImports, type SourceImport } from './source-imports.ts';

/** Source folders whose structure is checked, with the maximum number of imports between files of the same folder. */
const checkedRoots = [
  ['libs/resilience/src', 60],
  ['apps/sink/src', 80],
] as const;

function listSources(root: string): string[] {
  const paths = readdirSync(join(repository, root), { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => /\.tsx?$/.test(path)).map((path) => `${root}/${path}`);
}

function violationsOf(imports: readonly SourceImport[], files = [...new Set(imports.map(({ file }) => file))]): string[] {
  return structureViolations(describeFolders('libs/x/src', files, imports));
}

describe('the folders of a project', () => {
  it.each(checkedRoots)('%s has small folders, at most %i imports between siblings and no import cycle', (root, siblingImportsMax) => {
    const files = listSources(root);
    const structure = describeFolders(root, files, readProjectImports(root.replace(/\/src$/, '')));
    expect(files.length).toBeGreaterThan(50);
    expect(structure.siblingImports).toBeGreaterThan(10);
    expect(structureViolations(structure)).toEqual([]);
    expect(structure.siblingImports).toBeLessThanOrEqual(siblingImportsMax);
  });

  it('no file of any project is part of an import cycle, type-only imports included', () => {
    const folders = readProjectGraph().map(({ folder }) => folder);
    expect(folders.length).toBeGreaterThan(15);
    const cycles = folders.flatMap((folder) => {
      const root = `${folder}/src`;
      return describeFolders(root, listSources(root), readProjectImports(folder)).fileCycles;
    });
    expect(cycles).toEqual([]);
  });
});

describe('structureViolations', () => {
  it('files that import each other are reported, even through a third file', () => {
    const imports = [
      { file: 'libs/x/src/a.ts', specifier: './b.ts' },
      { file: 'libs/x/src/b.ts', specifier: './c.ts' },
      { file: 'libs/x/src/c.ts', specifier: './a.ts' },
      { file: 'libs/x/src/d.ts', specifier: './a.ts' },
    ];
    expect(violationsOf(imports)).toEqual(['These files import each other: libs/x/src/a.ts, libs/x/src/b.ts, libs/x/src/c.ts.']);
    expect(violationsOf(imports.slice(1))).toEqual([]);
  });

  it('folders that import each other through different files are reported', () => {
    const imports = [
      { file: 'libs/x/src/p/a.ts', specifier: '../q/b.ts' },
      { file: 'libs/x/src/q/c.ts', specifier: '../p/d.ts' },
      { file: 'libs/x/src/q/c.spec.ts', specifier: '../testing/e.ts' },
      { file: 'libs/x/src/testing/e.ts', specifier: '../q/c.ts' },
    ];
    expect(violationsOf(imports)).toEqual(['These folders import each other: p, q.']);
  });

  it('a folder with more than 15 source files is reported, and specs do not count', () => {
    const files = Array.from({ length: 16 }, (_, index) => `libs/x/src/f${index}.ts`);
    const specs = files.map((file) => file.replace('.ts', '.spec.ts'));
    expect(violationsOf([], [...files.slice(1), ...specs])).toEqual([]);
    expect(violationsOf([], files)).toEqual(['libs/x/src has 16 source files. The maximum is 15: group them in sub-folders.']);
  });

  it('imports between files of the same folder are counted, type-only imports included', () => {
    const imports = [
      { file: 'libs/x/src/a.ts', specifier: './b.ts' },
      { file: 'libs/x/src/a.ts', specifier: './p/c.ts' },
      { file: 'libs/x/src/a.spec.ts', specifier: './a.ts' },
    ];
    const files = ['libs/x/src/a.ts', 'libs/x/src/a.spec.ts', 'libs/x/src/b.ts', 'libs/x/src/p/c.ts'];
    expect(describeFolders('libs/x/src', files, imports).siblingImports).toBe(1);
  });
});
