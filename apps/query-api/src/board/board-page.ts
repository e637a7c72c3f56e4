import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Path of the board. The page finds its files and the API below it. */
export const boardPath = '/admin/queues';

/** The page loads nothing from elsewhere. Its styles are inline, its scripts are not. */
export const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const mediaTypes: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

/** A file of the board. */
export interface BoardFile {
  readonly path: string;
  readonly mediaType: string;
}

const folder = join(dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json')), 'dist');

/** Folder of the package with the page. */
export const boardFolder = folder.slice(0, -'/dist'.length);

/** The files of the board by their names, such as `js/main.js`. No other file can be asked for. */
export function boardFiles(): ReadonlyMap<string, BoardFile> {
  const root = join(folder, 'static');
  return new Map(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [
          path.slice(root.length + 1).replaceAll('\\', '/'),
          { path, mediaType: mediaTypes[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream' },
        ];
      }),
  );
}

/**
 * The page with its values. Links to other hosts are removed: the fonts of the system replace those of the web.
 *
 * @param values by the names of the template
 */
export function boardPage(values: Readonly<Record<string, string>>, template = readFileSync(join(folder, 'index.ejs'), 'utf8')): string {
  return template
    .replaceAll(/<link[^>]+href="https?:[^>]*>/g, '')
    .replaceAll(/<%[=-] (\w+) %>/g, (_match, name: string) => values[name] ?? '');
}
