import { posix } from 'node:path';
import type { SourceImport } from './source-imports.ts';

/** Maximum number of source files in one folder. Specs do not count. */
export const folderFilesMax = 15;

/** Structure of one source folder and its sub-folders. Paths are relative to the repository. */
export interface FolderStructure {
  /** Number of source files of each folder, without specs. */
  readonly filesByFolder: ReadonlyMap<string, number>;
  /** Number of imports between files of the same folder, without specs. */
  readonly siblingImports: number;
  /** Import cycles between files, type-only imports and specs included. Each cycle lists its files. */
  readonly fileCycles: readonly (readonly string[])[];
  /** Cycles between sub-folders of the root, without specs and without `testing/`. */
  readonly folderCycles: readonly (readonly string[])[];
}

const isTest = (file: string): boolean => file.endsWith('.spec.ts') || file.includes('/testing/');

/**
 * Describes a source folder.
 * @param root Folder of the sources, such as `libs/resilience/src`.
 * @param files Paths of all its TypeScript files.
 * @param imports Imports of those files; other imports are ignored.
 */
export function describeFolders(root: string, files: readonly string[], imports: readonly SourceImport[]): FolderStructure {
  const known = new Set(files);
  const filesByFolder = new Map<string, number>();
  for (const file of files.filter((path) => !path.endsWith('.spec.ts'))) {
    const folder = posix.dirname(file);
    filesByFolder.set(folder, (filesByFolder.get(folder) ?? 0) + 1);
  }
  const fileEdges = new Map<string, Set<string>>();
  const folderEdges = new Map<string, Set<string>>();
  for (const { file, specifier } of imports) {
    if (!known.has(file) || !specifier.startsWith('.')) continue;
    const target = posix.join(posix.dirname(file), specifier);
    addEdge(fileEdges, file, target);
    const [from, to] = [file, target].map((path) => posix.relative(root, posix.dirname(path)).split('/')[0]!);
    if (!isTest(file) && from !== to && from !== '' && to !== '') addEdge(folderEdges, from!, to!);
  }
  const edges = [...fileEdges].flatMap(([from, targets]) => [...targets].map((to) => [from, to] as const));
  return {
    filesByFolder,
    siblingImports: edges.filter(([from, to]) => !from.endsWith('.spec.ts') && posix.dirname(from) === posix.dirname(to)).length,
    fileCycles: findCycles(fileEdges),
    folderCycles: findCycles(folderEdges),
  };
}

/** Lists everything that is wrong with a structure, one sentence each. */
export function structureViolations({ filesByFolder, fileCycles, folderCycles }: FolderStructure): string[] {
  const large = [...filesByFolder].filter(([, count]) => count > folderFilesMax);
  return [
    ...large.map(([folder, count]) => `${folder} has ${count} source files. The maximum is ${folderFilesMax}: group them in sub-folders.`),
    ...fileCycles.map((cycle) => `These files import each other: ${cycle.join(', ')}.`),
    ...folderCycles.map((cycle) => `These folders import each other: ${cycle.join(', ')}.`),
  ];
}

function addEdge(edges: Map<string, Set<string>>, from: string, to: string): void {
  const targets = edges.get(from) ?? new Set();
  edges.set(from, targets.add(to));
}

/** Returns the strongly connected components with more than one node, by Tarjan's algorithm. The nodes of each one are sorted. */
function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const indexes = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    const index = indexes.size;
    indexes.set(node, index);
    lowest.set(node, index);
    stack.push(node);
    for (const target of edges.get(node) ?? []) {
      if (!indexes.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(target)!));
    }
    if (lowest.get(node) !== index) return;
    const component = stack.splice(stack.indexOf(node));
    if (component.length > 1) cycles.push(component.toSorted());
  };
  for (const node of edges.keys()) if (!indexes.has(node)) visit(node);
  return cycles;
}
