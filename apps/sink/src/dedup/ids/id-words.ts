import { createHash } from 'node:crypto';

/** An id is 128 bits, in this many unsigned words. */
export const wordsPerId = 4;

/** Characters of a UUID in text. */
export const uuidLength = 36;

/** Places of a UUID's digits in its text, by word. */
export const digitsOfUuid = [
  [0, 1, 2, 3, 4, 5, 6, 7],
  [9, 10, 11, 12, 14, 15, 16, 17],
  [19, 20, 21, 22, 24, 25, 26, 27],
  [28, 29, 30, 31, 32, 33, 34, 35],
] as const;

/** Value of a hexadecimal digit by its code; 255 for any other character. */
export const hexDigitOf = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value < 0 ? 255 : value;
});

const hyphensAt = [8, 13, 18, 23] as const;
const hyphen = 45;

/** Writes the words of an id at a position. A UUID is its own words; another text is the first half of its SHA-256. */
export function readIdWords(eventId: string, words: Uint32Array, at: number): void {
  if (readUuid(eventId, words, at)) return;
  const digest = createHash('sha256').update(eventId).digest();
  for (let word = 0; word < wordsPerId; word += 1) words[at + word] = digest.readUInt32LE(word * 4);
}

/** Reads a UUID into four words. Returns false, with any words, for another text. */
function readUuid(text: string, words: Uint32Array, start: number): boolean {
  if (text.length !== uuidLength) return false;
  for (const at of hyphensAt) if (text.charCodeAt(at) !== hyphen) return false;
  for (let word = 0; word < wordsPerId; word += 1) {
    let value = 0;
    for (const at of digitsOfUuid[word]!) {
      const code = text.charCodeAt(at);
      const digit = code < 128 ? hexDigitOf[code]! : 255;
      if (digit === 255) return false;
      value = (value << 4) | digit;
    }
    words[start + word] = value;
  }
  return true;
}

/** Hash of the id at a position. Random UUIDs differ everywhere, time-ordered ones in their last words. */
export function hashOfId(words: Uint32Array, at: number): number {
  const mixed =
    Math.imul(words[at]! ^ Math.imul(words[at + 3]!, 0x9e37_79b1), 0x85eb_ca6b) ^ words[at + 1]! ^ Math.imul(words[at + 2]!, 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Whether two ids are the same. */
export function isSameId(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  return a[atA] === b[atB] && a[atA + 1] === b[atB + 1] && a[atA + 2] === b[atB + 2] && a[atA + 3] === b[atB + 3];
}

/** Copies an id. */
export function copyId(source: Uint32Array, from: number, target: Uint32Array, to: number): void {
  for (let word = 0; word < wordsPerId; word += 1) target[to + word] = source[from + word]!;
}
