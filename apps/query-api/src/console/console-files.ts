import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Path of the console. Its pages and its files are below it. */
export const consolePath = '/console';

/** Folder with the built console. It is the same for the sources, the build and the container. */
const builtConsole = join(import.meta.dirname, '../../../console/dist/site');

/**
 * Policy of the console's page. The page loads nothing from other hosts and has no inline script or style. No code of it turns text into
 * markup, so it needs no policy of trusted types either.
 *
 * @param origins other origins to which it may connect: those of the issuer where its users sign in
 */
export function consolePolicy(origins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...origins].join(' '),
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** Content codings of the build, the smallest first, with the ending of their files. */
const codings = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;

/** A file of the console in each content coding that the build made. */
export interface ConsoleFile {
  readonly mediaType: string;
  readonly etag: string;
  /** Whether the name holds a hash of the content, so that a browser never needs to ask again. */
  readonly isHashed: boolean;
  readonly plain: Buffer;
  readonly coded: readonly { readonly name: string; readonly bytes: Buffer }[];
}

/** Reads the built files by their paths below {@link consolePath}, such as `assets/index-3f2a.js`. Empty when nothing is built. */
export function readConsole(folder = builtConsole): ReadonlyMap<string, ConsoleFile> {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
  const known = new Set(names);
  return new Map(
    names
      .filter((name) => extname(name) in mediaTypes)
      .map((name) => {
        const plain = readFileSync(join(folder, name));
        const coded = codings
          .filter(({ ending }) => known.has(name + ending))
          .map((coding) => ({ name: coding.name, bytes: readFileSync(join(folder, name + coding.ending)) }));
        return [
          name.replaceAll('\\', '/'),
          { mediaType: mediaTypes[extname(name)]!, etag: etagOf(plain), isHashed: name.startsWith('assets'), plain, coded },
        ];
      }),
  );
}

/** The bytes of a file in the smallest coding that `Accept-Encoding` takes. */
export function codingFor({ plain, coded }: ConsoleFile, acceptEncoding: string | undefined): { coding?: string; bytes: Buffer } {
  const accepted = new Set(
    (acceptEncoding ?? '')
      .split(',')
      .map((part) => part.trim().toLowerCase().split(';'))
      .filter(([, weight]) => !/^\s*q=0(\.0*)?\s*$/.test(weight ?? ''))
      .map(([name]) => name!.trim()),
  );
  const found = coded.find(({ name }) => accepted.has(name));
  return found === undefined ? { bytes: plain } : { coding: found.name, bytes: found.bytes };
}

function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
}
