import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../repository.ts';

/** A project of the workspace, as Nx knows it. */
export interface Project {
  readonly name: string;
  /** Its folder, relative to the repository. */
  readonly folder: string;
  readonly tags: readonly string[];
  /** Names of the projects of ours that it depends on, for whatever purpose. */
  readonly uses: readonly string[];
  /** Those of them that only its development needs. */
  readonly usesInDevelopment: readonly string[];
}

interface NxGraph {
  readonly graph: {
    readonly nodes: Readonly<Record<string, { readonly data: { readonly root: string; readonly tags?: readonly string[] } }>>;
    readonly dependencies: Readonly<Record<string, readonly { readonly target: string }[]>>;
  };
}

/** The project graph, as `nx graph` gives it. */
export function readProjectGraph(): Project[] {
  const folder = mkdtempSync(join(tmpdir(), 'graph-'));
  try {
    const file = join(folder, 'graph.json');
    execFileSync(join(repository, 'node_modules/.bin/nx'), ['graph', '--file', file], {
      cwd: repository,
      stdio: 'pipe',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NX_DAEMON: 'false' },
    });
    const { graph } = JSON.parse(readFileSync(file, 'utf8')) as NxGraph;
    return Object.entries(graph.nodes).map(([name, { data }]) => {
      const { devDependencies = {} } = JSON.parse(readFileSync(join(repository, data.root, 'package.json'), 'utf8')) as {
        devDependencies?: Record<string, string>;
      };
      const uses = (graph.dependencies[name] ?? []).map(({ target }) => target).filter((target) => target in graph.nodes);
      return {
        name,
        folder: data.root,
        tags: data.tags ?? [],
        uses,
        usesInDevelopment: uses.filter((target) => target in devDependencies),
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
