/** A token of a statement whose comments are blanked out. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'symbol';
  /** As it is written, with its quotes. */
  readonly text: string;
  readonly at: number;
}

const pattern =
  /(?<text>'(?:[^']|'')*')|(?<name>"(?:[^"]|"")*")|(?<number>\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<symbol>->|\S)/gu;

/** The tokens of a statement, in order; it must be one that the statement's reader let pass. */
export function tokensOf(text: string): Token[] {
  return [...text.matchAll(pattern)].map((match) => {
    const [kind] = Object.entries(match.groups!).find(([, found]) => found !== undefined)!;
    return { kind: kind as Token['kind'], text: match[0], at: match.index };
  });
}
