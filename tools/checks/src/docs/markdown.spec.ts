import { existsSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, textOf } from '../repository.ts';
import { anchorsOf, linkTargets, markdownFiles, namedPaths, wideRows } from './markdown.ts';

const files = markdownFiles(repository);

/** Every file of the repository, so that a failure names the new place of a missing file. */
const sources = ['apps', 'libs', 'tools', 'docker', 'deploy', 'e2e', 'benchmarks', 'examples', 'docs'].flatMap((folder) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
    .map((path) => `${folder}/${path}`),
);

function namesakesOf(path: string): string[] {
  return sources.filter((source) => posix.basename(source) === posix.basename(path));
}

describe('Markdown files', () => {
  it('the list of files contains every Markdown file of the repository and none of a package', () => {
    expect(files).toContain('README.md');
    expect(files).toContain('docs/architecture.md');
    expect(files).toContain('docs/adr/0002-the-ledger.md');
    expect(files.filter((file) => file.includes('node_modules'))).toEqual([]);
  });

  it.each(files)('%s has only links to existing files and headings', (file) => {
    const broken = linkTargets(textOf(file)).flatMap((target) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path, anchor] = target.split('#') as [string, string?];
      const linked = path === '' ? file : posix.join(posix.dirname(file), decodeURIComponent(path));
      if (!existsSync(join(repository, linked))) return [`${target}: ${linked} does not exist`];
      if (anchor === undefined || !linked.endsWith('.md')) return [];
      return anchorsOf(textOf(linked)).includes(anchor) ? [] : [`${target}: ${linked} has no heading with this anchor`];
    });
    expect(broken).toEqual([]);
  });

  it.each(files)('%s names only existing paths', (file) => {
    const missing = namedPaths(textOf(file)).filter((path) => !existsSync(join(repository, path)));
    expect(missing.map((path) => `${path} does not exist; files of this name: ${namesakesOf(path).join(', ') || 'none'}`)).toEqual([]);
  });
});

describe('main pages', () => {
  const proofs = ['docs/crash-matrix.md', 'docs/kafka-outage.md', 'docs/s3-outage.md', 'docs/sink-model.md', 'docs/sink-rebalance.md'];
  const pages = ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', ...proofs];

  it.each(pages)('%s has no table wider than 140 columns', (page) => {
    expect(wideRows(textOf(page), 140)).toEqual([]);
  });

  it('docs/architecture.md names the file of each glossary word', () => {
    const page = textOf('docs/architecture.md');
    const section = (title: string): string => page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
    const words = [...section('Glossary').matchAll(/^\| \*\*([^*]+)\*\* \|/gm)].map(([, word]) => word!);
    const rows = [...section('From word to file').matchAll(/^\| ([^|\n]+) \| [^|\n]*`[^`|\n]+`/gm)];
    const mapped = rows.flatMap(([, cell]) => cell!.split(', '));
    expect(words.length).toBeGreaterThan(14);
    expect(words.filter((word) => !mapped.includes(word))).toEqual([]);
  });
});

describe('linkTargets', () => {
  it('linkTargets finds links, pictures, references and HTML, but nothing in code', () => {
    const links = ['[a](b.md#c) ![d](e.svg "title")', '<img src="f.svg">', '[g]: h.md'];
    const code = ['`[no](no.md)`', '```md', '[no](no.md)', '```'];
    expect(linkTargets([...links, ...code].join('\n'))).toEqual(['b.md#c', 'e.svg', 'f.svg', 'h.md']);
  });
});

describe('anchorsOf', () => {
  it('anchorsOf makes the anchors of GitHub and numbers equal ones', () => {
    const code = ['```sh', '# a comment', '```'];
    const text = ['# POST `/v1/purchases`', '## S3 is down', ...code, '## [S3](a.md) is down', '### snake_case, it’s 95 %'].join('\n');
    expect(anchorsOf(text)).toEqual(['post-v1purchases', 's3-is-down', 's3-is-down-1', 'snake_case-its-95-']);
  });
});

describe('namedPaths', () => {
  it('namedPaths finds repository paths in inline code, without placeholders', () => {
    const text = '`libs/lake/src/keys.ts`, `apps/<name>`, `docs/adr/`, `./millrace up`, `purchases/dt=1/x.parquet`, `libs/lake/dist/x.js`';
    expect(namedPaths(text)).toEqual(['libs/lake/src/keys.ts', 'docs/adr/']);
  });
});

describe('wideRows', () => {
  it('wideRows counts the characters of table rows only', () => {
    expect(wideRows('text that is long\n| a |\n| äöü |', 6)).toEqual(['line 3: 7 columns']);
  });
});
