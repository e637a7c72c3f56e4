import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { blocksOf } from './src/runbook/markdown-blocks.ts';

const outDir = 'dist/site';

/** Writes each text file in two content codings beside it, so that the query API never compresses one. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      const files = readdirSync(outDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      for (const { parentPath, name } of files) {
        const path = join(parentPath, name);
        const bytes = readFileSync(path);
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

const runbookPath = join(import.meta.dirname, '../../docs/operations.md');

/** Gives the page the runbook as blocks of text: no parser and no markup reach the browser. */
function runbook(): Plugin {
  const name = 'virtual:runbook';
  return {
    name: 'runbook',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return undefined;
      this.addWatchFile(runbookPath);
      return `export default ${JSON.stringify(blocksOf(readFileSync(runbookPath, 'utf8')))};`;
    },
  };
}

export default defineConfig({
  base: '/console/',
  plugins: [runbook(), precompress()],
  resolve: { conditions: ['@millrace/source', 'module', 'browser'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // `npx vite` in this folder serves the sources, with the API of a running stack behind them.
  server: { proxy: { '/v1': 'http://127.0.0.1:3003' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    // The policy of the page allows no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    reportCompressedSize: false,
  },
});
