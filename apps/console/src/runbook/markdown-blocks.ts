/** A part of a line. */
export interface Inline {
  readonly text: string;
  readonly as?: 'strong' | 'em' | 'code';
  /** Target of a link. */
  readonly href?: string;
}

/** A block of a document. Only text: a page that shows it needs no markup. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly id: string; readonly text: string }
  /** `id` is there where the paragraph begins with its title in bold. */
  | { readonly kind: 'paragraph'; readonly id?: string; readonly inlines: readonly Inline[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'table'; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: 'code'; readonly text: string };

/** Reads the Markdown that the documents of this repository use: headings, paragraphs, lists of one level, tables and code. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.replaceAll(/<!--[^]*?-->/g, '').split('\n');
  for (let n = 0; n < lines.length;) {
    const end = lines[n]!.trim() === '' ? n + 1 : endOf(lines, n);
    if (lines[n]!.trim() !== '') blocks.push(blockOf(lines.slice(n, end)));
    n = end;
  }
  return blocks;
}

/** The identity of a title, as GitHub makes it. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** Index after the last line of the block that starts at a line. */
function endOf(lines: readonly string[], start: number): number {
  const first = lines[start]!;
  if (first.startsWith('```')) {
    const close = lines.findIndex((line, n) => n > start && line.startsWith('```'));
    return close === -1 ? lines.length : close + 1;
  }
  if (first.startsWith('#')) return start + 1;
  const isOther = (line: string): boolean =>
    line.trim() === '' || line.startsWith('```') || line.startsWith('#') || (!isItem(first) && isItem(line));
  const end = lines.findIndex((line, n) => n > start && isOther(line));
  return end === -1 ? lines.length : end;
}

function isItem(line: string): boolean {
  return /^\s*([-*]|\d+\.) /.test(line);
}

function blockOf(lines: readonly string[]): Block {
  const first = lines[0]!;
  const heading = /^(#+) (.*)$/.exec(first);
  if (heading !== null) {
    const text = heading[2]!.replaceAll('`', '');
    return { kind: 'heading', level: heading[1]!.length, id: slugOf(text), text };
  }
  if (first.startsWith('```')) return { kind: 'code', text: lines.slice(1, -1).join('\n') };
  if (first.startsWith('|')) {
    const [head = [], , ...rows] = lines.map((line) =>
      line
        .replace(/^\||\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => inlinesOf(cell.trim().replaceAll(String.raw`\|`, '|'))),
    );
    return { kind: 'table', head, rows };
  }
  if (isItem(first)) {
    const items: string[] = [];
    for (const line of lines) {
      if (isItem(line)) items.push(line.replace(/^\s*([-*]|\d+\.) /, ''));
      else items.push(`${items.pop()!} ${line.trim()}`);
    }
    return { kind: 'list', items: items.map(inlinesOf) };
  }
  const inlines = inlinesOf(lines.map((line) => line.trim()).join(' '));
  const [title] = inlines;
  return { kind: 'paragraph', ...(title?.as === 'strong' ? { id: slugOf(title.text) } : {}), inlines };
}

function inlinesOf(text: string): Inline[] {
  const inlines: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(/`([^`]+)`|\*\*(.+?)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)/g)) {
    if (match.index > end) inlines.push({ text: text.slice(end, match.index) });
    const [whole, code, strong, em, label, href] = match;
    if (code !== undefined) inlines.push({ text: code, as: 'code' });
    else if (strong !== undefined) inlines.push({ text: strong.replaceAll('`', ''), as: 'strong' });
    else if (em !== undefined) inlines.push({ text: em, as: 'em' });
    else inlines.push({ text: label!.replaceAll('`', ''), href: href! });
    end = match.index + whole.length;
  }
  if (end < text.length) inlines.push({ text: text.slice(end) });
  return inlines;
}
