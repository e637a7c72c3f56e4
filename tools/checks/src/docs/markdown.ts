import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Folders that hold no documents of ours. Folders whose name begins with a dot are left out, too. */
const ignoredFolders = new Set(['node_modules', 'dist', 'test-results']);

/** Every Markdown file below a folder, as paths relative to it. */
export function markdownFiles(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return ignoredFolders.has(entry.name) || entry.name.startsWith('.') ? [] : markdownFiles(root, path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Targets of the links and pictures of a Markdown text, in order. Code is not searched. */
export function linkTargets(markdown: string): string[] {
  const text = withoutInlineCode(withoutCodeBlocks(markdown));
  const links = /\]\(([^()\s]+)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)|\b(?:href|src|srcset)="([^"]+)"/gm;
  return [...text.matchAll(links)].map(([, inline, reference, html]) => inline ?? reference ?? html!);
}

/** Anchors that a reader of the rendered text can jump to: one for each heading, built as GitHub builds them. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCodeBlocks(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading]) => {
    const slug = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/**
 * Paths of this repository that a text names in inline code, such as `libs/lake/src/keys.ts`. Patterns, placeholders and build output do
 * not count.
 */
export function namedPaths(markdown: string): string[] {
  const paths = /`((?:apps|libs|tools|docs|docker|e2e|benchmarks|samples|examples)\/(?!\S*\bdist\b)[\w./-]*)`/g;
  return [...withoutCodeBlocks(markdown).matchAll(paths)].map(([, path]) => path!);
}

/** Rows of tables that are wider than a number of columns, with their line numbers. */
export function wideRows(markdown: string, columnsMax: number): string[] {
  return markdown
    .split('\n')
    .map((line, index) => ({ line, text: `line ${index + 1}: ${line.length} columns` }))
    .filter(({ line }) => line.startsWith('|') && line.length > columnsMax)
    .map(({ text }) => text);
}

// Line breaks stay, so that headings keep their lines.
function withoutCodeBlocks(markdown: string): string {
  return markdown.replaceAll(/^(```+)[^\n]*\n[^]*?^\1\s*$/gm, '');
}

function withoutInlineCode(markdown: string): string {
  return markdown.replaceAll(/`[^`\n]*`/g, '');
}
