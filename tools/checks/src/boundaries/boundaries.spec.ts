import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { boundaryViolations } from './boundary-rules.ts';
import { readProjectGraph, type Project } from './project-graph.ts';
import { importsOf, readSourceImports } from './source-imports.ts';

const projects = readProjectGraph();
const imports = readSourceImports(projects);

/** The real graph in which one project also depends on another. */
function withEdge(from: string, to: string, development = false): Project[] {
  expect(projects.map(({ name }) => name)).toEqual(expect.arrayContaining([from, to]));
  return projects.map((project) =>
    project.name === from
      ? {
          ...project,
          uses: [...new Set([...project.uses, to])],
          usesInDevelopment: development ? [...project.usesInDevelopment, to] : project.usesInDevelopment.filter((name) => name !== to),
        }
      : project,
  );
}

function withImport(file: string, specifier: string): string[] {
  return boundaryViolations(projects, [...imports, { file, specifier }]);
}

describe('the boundaries of the workspace', () => {
  it('the workspace has no boundary violation', () => {
    expect(projects.length).toBeGreaterThan(8);
    expect(imports.length).toBeGreaterThan(200);
    expect(boundaryViolations(projects, imports)).toEqual([]);
  });

  it.each([
    ['@millrace/sink', '@millrace/purchase', '@millrace/sink (type:app) must not depend on @millrace/purchase (type:app).'],
    ['@millrace/lake', '@millrace/sink', '@millrace/lake (type:lib) must not depend on @millrace/sink (type:app).'],
    ['@millrace/runtime', '@millrace/stack', '@millrace/runtime (type:lib) must not depend on @millrace/stack (type:tool).'],
    ['@millrace/e2e', '@millrace/query-api', '@millrace/e2e (type:e2e) must not depend on @millrace/query-api (type:app).'],
    [
      '@millrace/contracts',
      '@millrace/resilience',
      '@millrace/contracts (layer:pure) must not depend on @millrace/resilience (layer:pure).',
    ],
    ['@millrace/resilience', '@millrace/runtime', '@millrace/resilience (layer:pure) must not depend on @millrace/runtime (layer:nest).'],
    ['@millrace/lake', '@millrace/runtime', '@millrace/lake (layer:io) must not depend on @millrace/runtime (layer:nest).'],
    ['@millrace/examples', '@millrace/purchase', '@millrace/examples (type:example) must not depend on @millrace/purchase (type:app).'],
    ['@millrace/operations', '@millrace/operator', '@millrace/operations (type:lib) must not depend on @millrace/operator (type:tool).'],
    ['@millrace/operations', '@millrace/runtime', '@millrace/operations (layer:io) must not depend on @millrace/runtime (layer:nest).'],
    ['@millrace/sink', '@millrace/testing', '@millrace/sink must have @millrace/testing in devDependencies: only its tests may use it.'],
  ])('a dependency of %s on %s is reported', (from, to, sentence) => {
    expect(boundaryViolations(withEdge(from, to), imports)).toEqual([sentence]);
  });

  it('the build of the whole repository has each project that has a configuration of the compiler', () => {
    const { references } = JSON.parse(textOf('tsconfig.json')) as { references: readonly { readonly path: string }[] };
    const compiled = projects.map(({ folder }) => folder).filter((folder) => existsSync(join(repository, folder, 'tsconfig.json')));
    expect(references.map(({ path }) => path).toSorted()).toEqual(compiled.toSorted());
  });

  it('a project without tags is reported', () => {
    const untagged = projects.map((project) => (project.name === '@millrace/lake' ? { ...project, tags: ['type:lib'] } : project));
    expect(boundaryViolations(untagged, [])).toContain('@millrace/lake is a lib and needs one tag of layer:pure, layer:io, layer:nest.');
  });

  it.each([
    [
      'apps/sink/src/lane/lane.ts',
      '../../../purchase/src/main.ts',
      'apps/sink/src/lane/lane.ts reaches out of its project to apps/purchase/src/main.ts.',
    ],
    [
      'libs/contracts/src/streams/stream.ts',
      '@millrace/lake',
      'libs/contracts/src/streams/stream.ts imports @millrace/lake, which libs/contracts/package.json does not name.',
    ],
    ['apps/sink/src/lane/lane.ts', '@millrace/testing', 'apps/sink/src/lane/lane.ts is not a test and must not import @millrace/testing.'],
    [
      'libs/lake/src/chain.ts',
      '@aws-sdk/client-s3',
      'libs/lake/src/chain.ts must stay free of frameworks and I/O and must not import @aws-sdk/client-s3.',
    ],
    [
      'libs/resilience/src/time/clock.ts',
      'node:fs/promises',
      'libs/resilience/src/time/clock.ts must stay free of frameworks and I/O and must not import node:fs/promises.',
    ],
    [
      'libs/client/src/connection.ts',
      'node:http',
      'libs/client/src/connection.ts must stay free of frameworks and I/O and must not import node:http.',
    ],
    [
      'libs/contracts/src/table.ts',
      '@nestjs/common',
      'libs/contracts/src/table.ts must stay free of frameworks and I/O and must not import @nestjs/common.',
    ],
  ])('an import in %s of %s is reported', (file, specifier, sentence) => {
    expect(withImport(file, specifier)).toEqual([sentence]);
  });

  it('a test may import test tools', () => {
    expect(withImport('apps/sink/src/lane/lane.spec.ts', '@millrace/testing')).toEqual([]);
  });
});

describe('importsOf', () => {
  it('importsOf finds every form of import', () => {
    const text = [
      "import 'a';",
      "import b from 'b';",
      'import {',
      '  type C,',
      "} from 'c';",
      "export * from './d.ts';",
      "export { e } from 'e';",
      "const f = await import('f');",
      "const text = 'import';",
    ].join('\n');
    expect(importsOf(text)).toEqual(['a', 'b', 'c', './d.ts', 'e', 'f']);
  });
});
