import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './places.mjs';

/** Folder of the console, which Vite bundles for browsers. */
export const consoleFolder = join(root, 'apps', 'console');

/** The sources of the bundle: those of the console, and the packages that it holds. */
const sources = [
  'src',
  'public',
  'index.html',
  'package.json',
  'vite.config.ts',
  '../../package-lock.json',
  '../../libs/resilience/src/errors',
];

/** Whether a source of the console is newer than its bundle, or there is no bundle. */
export function isConsoleStale(folder = consoleFolder): boolean {
  const bundle = join(folder, 'dist', 'site', 'index.html');
  if (!existsSync(bundle)) return true;
  const builtAt = statSync(bundle).mtimeMs;
  return sources.some((path) => newestMs(join(folder, path)) > builtAt);
}

function newestMs(path: string): number {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  return Math.max(0, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(path, name)).mtimeMs));
}
