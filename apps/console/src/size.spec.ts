import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const site = join(import.meta.dirname, '../dist/site');

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
  readonly isEntry?: boolean;
}

const chunks = JSON.parse(readFileSync(join(site, 'manifest.json'), 'utf8')) as Readonly<Record<string, Chunk>>;
const [entry] = Object.entries(chunks).find(([, { isEntry }]) => isEntry === true)!;

/** The files that the browser loads for some chunks, and those that they import. */
function filesOf(...names: readonly string[]): Set<string> {
  const files = new Set<string>();
  const visit = (name: string): void => {
    const { file, css = [], imports = [] } = chunks[name]!;
    if (files.has(file)) return;
    for (const one of [file, ...css]) files.add(one);
    for (const one of imports) visit(one);
  };
  for (const name of names) visit(name);
  return files;
}

const gzipBytes = (files: Iterable<string>): number => [...files].reduce((sum, file) => sum + statSync(join(site, `${file}.gz`)).size, 0);

describe('the size of the console', () => {
  it.each(Object.keys(chunks).filter((name) => name.startsWith('src/screens/') && !name.includes('/ask/')))(
    'the first load of %s has at most 60 KiB with gzip',
    (screen) => {
      expect(gzipBytes(filesOf(entry, screen))).toBeLessThanOrEqual(60 * 1024);
    },
  );

  it('the editor adds at most 200 KiB with gzip, and only its own screen loads it', () => {
    const ask = filesOf('src/screens/ask/ask-screen.tsx');
    const start = filesOf(entry);
    expect(gzipBytes([...ask].filter((file) => !start.has(file)))).toBeLessThanOrEqual(200 * 1024);
    expect(readFileSync(join(site, chunks['src/screens/ask/ask-screen.tsx']!.file), 'utf8')).toContain('cm-content');
    const others = Object.entries(chunks).filter(([name]) => name.endsWith('.tsx') && !name.includes('/ask/'));
    expect(others.filter(([, { file }]) => readFileSync(join(site, file), 'utf8').includes('cm-content'))).toEqual([]);
  });

  it.each(['src/screens/ask/format-sql.ts', 'src/screens/ask/chart/plot.tsx'])('%s is loaded on demand, and has at most 60 KiB', (name) => {
    const ask = filesOf(entry, 'src/screens/ask/ask-screen.tsx');
    expect(ask).not.toContain(chunks[name]!.file);
    expect(gzipBytes([...filesOf(name)].filter((file) => !ask.has(file)))).toBeLessThanOrEqual(60 * 1024);
  });

  it('the page has no inline script and no inline style', () => {
    const html = readFileSync(join(site, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  });
});
