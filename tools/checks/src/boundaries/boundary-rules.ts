import { posix } from 'node:path';
import type { Project } from './project-graph.ts';
import type { SourceImport } from './source-imports.ts';

/** Types that a project of each type may depend on. */
const typesUsable: Readonly<Record<string, readonly string[]>> = {
  'type:lib': ['type:lib'],
  'type:app': ['type:lib'],
  'type:tool': ['type:lib', 'type:tool'],
  'type:e2e': ['type:lib', 'type:tool'],
  'type:bench': ['type:lib', 'type:tool'],
  // Other teams copy an example: it needs nothing of ours, except in its tests.
  'type:example': ['type:lib'],
};

/** Layers that a lib of each layer may depend on. */
const layersUsable: Readonly<Record<string, readonly string[]>> = {
  // The contract and the policies can be read, tested and reused alone.
  'layer:pure': [],
  'layer:io': ['layer:pure', 'layer:io'],
  'layer:nest': ['layer:pure', 'layer:nest'],
};

/** Only tests may import it. */
const testingProject = '@millrace/testing';
const typesWithoutTesting = ['type:app', 'type:lib', 'type:example'];
const testFile = /(\.spec|\.conformance)\.ts$|\/testing-[^/]*\.ts$|\/src\/testing\//;

/** Files without I/O and frameworks: all of a pure lib, the client, which uses only `fetch`, and the rules of the ledger. */
const pureFile = /^libs\/(contracts|resilience|client)\/|^libs\/lake\/src\/(keys|entry|chain|ranges|checkpoint)\.ts$/;
const impurePackage =
  /^(@nestjs\/|@aws-sdk\/|@smithy\/|@duckdb\/|kafkajs$|@platformatic\/|bullmq$|ioredis$|fastify$|pino|node:(fs|net|http|https|http2|tls|dgram|dns|child_process|worker_threads|cluster)\b)/;

/** Lists each violation of a boundary, one sentence each. */
export function boundaryViolations(projects: readonly Project[], imports: readonly SourceImport[]): string[] {
  return [
    ...projects.flatMap((project) => graphViolations(project, projects)),
    ...imports.flatMap((one) => importViolations(one, projects)),
  ];
}

function graphViolations(project: Project, projects: readonly Project[]): string[] {
  const type = tagOf(project, 'type:');
  const layer = tagOf(project, 'layer:');
  const usableTypes = typesUsable[type ?? ''];
  if (usableTypes === undefined) return [`${project.name} needs one tag of ${Object.keys(typesUsable).join(', ')}.`];
  if (type === 'type:lib' && layersUsable[layer ?? ''] === undefined)
    return [`${project.name} is a lib and needs one tag of ${Object.keys(layersUsable).join(', ')}.`];
  const usableLayers = type === 'type:lib' ? layersUsable[layer ?? ''] : undefined;
  return project.uses.flatMap((name) => {
    const used = projects.find((candidate) => candidate.name === name)!;
    const usedType = tagOf(used, 'type:');
    const usedLayer = tagOf(used, 'layer:');
    if (!usableTypes.includes(usedType ?? '')) return [`${project.name} (${type}) must not depend on ${name} (${usedType}).`];
    if (usableLayers !== undefined && !usableLayers.includes(usedLayer ?? ''))
      return [`${project.name} (${layer}) must not depend on ${name} (${usedLayer}).`];
    const forTests = name === testingProject && typesWithoutTesting.includes(type ?? '');
    return forTests && !project.usesInDevelopment.includes(name)
      ? [`${project.name} must have ${name} in devDependencies: only its tests may use it.`]
      : [];
  });
}

function importViolations({ file, specifier }: SourceImport, projects: readonly Project[]): string[] {
  const owner = projects.find(({ folder }) => file.startsWith(`${folder}/`))!;
  const violations: string[] = [];
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    if (!target.startsWith(`${owner.folder}/`)) violations.push(`${file} reaches out of its project to ${target}.`);
    return violations;
  }
  const used = projects.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (used !== undefined && used.name !== owner.name && !owner.uses.includes(used.name))
    violations.push(`${file} imports ${used.name}, which ${owner.folder}/package.json does not name.`);
  if (
    used?.name === testingProject &&
    typesWithoutTesting.includes(tagOf(owner, 'type:') ?? '') &&
    owner.name !== testingProject &&
    !testFile.test(file)
  ) {
    violations.push(`${file} is not a test and must not import ${testingProject}.`);
  }
  if (pureFile.test(file) && !testFile.test(file) && impurePackage.test(specifier))
    violations.push(`${file} must stay free of frameworks and I/O and must not import ${specifier}.`);
  return violations;
}

function tagOf({ tags }: Project, prefix: string): string | undefined {
  const found = tags.filter((tag) => tag.startsWith(prefix));
  return found.length === 1 ? found[0] : undefined;
}
