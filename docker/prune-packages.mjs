import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

// Deletes every installed package that a program does not need, and takes them out of its SBOM. `npm ci --omit=dev` keeps the packages
// that the tests of a library need, because each library is also a workspace.
// Usage: node docker/prune-packages.mjs apps/sink SBOM

const [program, sbomPath] = process.argv.slice(2);
if (program === undefined || sbomPath === undefined) throw new Error('Usage: node docker/prune-packages.mjs PROGRAM SBOM');
const root = realpathSync('.');

/** @param {string} folder */
function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/**
 * The folder of a package as Node resolves it from another one, before links are followed.
 *
 * @param {string} name
 * @param {string} from
 */
function installed(name, from) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

const needed = new Set();
const visited = new Set([join(root, program)]);
// The loop also visits the entries that it adds.
for (const folder of visited) {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifestOf(folder);
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers]) {
    const path = installed(name, folder);
    if (path === undefined) {
      // A native package for another platform.
      if (name in optionalDependencies) continue;
      throw new Error(`${folder} needs ${name}, which is not installed.`);
    }
    needed.add(path);
    visited.add(realpathSync(path));
  }
}

/** @param {string} modules a folder `node_modules` */
function prune(modules) {
  for (const entry of readdirSync(modules)) {
    const names = entry.startsWith('@') ? readdirSync(join(modules, entry)).map((name) => join(entry, name)) : [entry];
    for (const name of names) {
      const path = join(modules, name);
      if (!needed.has(path)) rmSync(path, { recursive: true });
      else if (!lstatSync(path).isSymbolicLink() && existsSync(join(path, 'node_modules'))) prune(join(path, 'node_modules'));
    }
  }
}
prune(join(root, 'node_modules'));
for (const folder of visited)
  if (!folder.includes('node_modules') && existsSync(join(folder, 'node_modules'))) prune(join(folder, 'node_modules'));

const kept = new Set([...visited].map((folder) => manifestOf(folder)).map(({ name, version }) => `${name}@${version}`));
const sbom = JSON.parse(readFileSync(sbomPath, 'utf8'));
sbom.components = sbom.components.filter(({ 'bom-ref': ref }) => kept.has(ref));
const refs = new Set([sbom.metadata.component['bom-ref'], ...sbom.components.map(({ 'bom-ref': ref }) => ref)]);
sbom.dependencies = sbom.dependencies
  .filter(({ ref }) => refs.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
writeFileSync(sbomPath, JSON.stringify(sbom, null, 2));
