import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { isConsoleStale } from './build-console.ts';

it('the console is bundled again when a source is newer than its bundle, or the bundle is missing', () => {
  const base = mkdtempSync(join(tmpdir(), 'console-'));
  const folder = join(base, 'apps', 'console');
  const write = (path: string, seconds: number): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), '');
    utimesSync(join(folder, path), seconds, seconds);
  };
  try {
    write('src/deep/screen.tsx', 100);
    write('index.html', 100);
    expect(isConsoleStale(folder)).toBe(true);
    write('dist/site/index.html', 200);
    utimesSync(join(folder, 'src', 'deep'), 100, 100);
    expect(isConsoleStale(folder)).toBe(false);
    write('../../package-lock.json', 300);
    expect(isConsoleStale(folder)).toBe(true);
    write('../../package-lock.json', 100);
    write('src/deep/screen.tsx', 300);
    expect(isConsoleStale(folder)).toBe(true);
  } finally {
    rmSync(base, { recursive: true });
  }
});
