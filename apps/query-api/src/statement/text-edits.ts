import type { Token } from './tokens.ts';

/** A text after its edits. */
export interface EditedText {
  readonly text: string;
  /** The offset in the original of an offset in `text`, for the positions of errors. */
  readonly originalOffset: (offset: number) => number;
}

/** Text that replaces `length` characters of the original. */
export interface Edit {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

/** Replaces a token. */
export function replacing({ at, text: { length } }: Token, text: string): Edit {
  return { at, length, text };
}

/** Applies edits, which do not overlap. */
export function edited(original: string, unordered: readonly Edit[]): EditedText {
  const edits = unordered.toSorted((a, b) => a.at - b.at);
  let text = '';
  let from = 0;
  // Where an edit ends in the new text, and where it ends in the original.
  const ends: { readonly edited: number; readonly original: number }[] = [{ edited: 0, original: 0 }];
  for (const edit of edits) {
    text += original.slice(from, edit.at) + edit.text;
    from = edit.at + edit.length;
    ends.push({ edited: text.length, original: from });
  }
  return {
    text: text + original.slice(from),
    originalOffset: (offset) => {
      const before = ends.findLast((end) => end.edited <= offset)!;
      const after = edits[ends.indexOf(before)];
      return Math.min(before.original + offset - before.edited, after?.at ?? original.length);
    },
  };
}
