import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

// Copies the built files of a program, and of the libraries that it needs, into a folder. Tests and types stay behind.
// Usage: node docker/collect-program.mjs apps/sink TARGET

const [program, target] = process.argv.slice(2);
if (program === undefined || target === undefined) throw new Error('Usage: node docker/collect-program.mjs PROGRAM TARGET');

/** @param {string} folder */
function manifestOf(folder) {
  return /** @type {{ dependencies?: Record<string, string>, files?: string[] }} */ (
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  );
}

/** @param {string} name */
function folderOf(name) {
  const folder = ['libs', 'tools'].map((parent) => join(parent, name.slice('@millrace/'.length))).find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`No folder has the package ${name}.`);
  return folder;
}

const folders = new Set([program]);
// The loop also visits the entries that it adds.
for (const folder of folders)
  for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) if (name.startsWith('@millrace/')) folders.add(folderOf(name));

const left = /\.spec\.|\.d\.ts$|\.tsbuildinfo$|\.map$/;
for (const folder of folders) {
  mkdirSync(join(target, folder), { recursive: true });
  for (const part of ['package.json', 'dist', 'reports']) {
    const source = join(folder, part);
    if (existsSync(source))
      cpSync(source, join(target, folder, part), {
        recursive: true,
        filter: (path) => !left.test(basename(path)) && basename(path) !== 'testing',
      });
  }
}
