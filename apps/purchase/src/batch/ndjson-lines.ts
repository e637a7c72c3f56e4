import { ProblemError } from '@millrace/runtime';

/** A line of NDJSON that is not JSON. It takes the place of the item. */
export class BadLine {
  /** @param line number of the line in the body, from 1 */
  constructor(readonly line: number) {}
}

/** Limits of a body of NDJSON. */
export interface NdjsonLimits {
  /** Largest body, decoded, in bytes. */
  readonly bytesMax: number;
  /** Maximum number of lines that are not empty. */
  readonly itemsMax: number;
}

const newline = 0x0a;

/**
 * Reads newline-delimited JSON while it arrives, so that no more than one line waits as text. Lines of white space do not count. A line
 * that is not
 * JSON becomes a {@link BadLine}, and the lines after it are read all the same.
 *
 * @throws ProblemError `body-too-large`, or `validation` when there are too many lines; both end the connection, because the rest is not
 * read
 */
export async function readNdjson(body: AsyncIterable<Buffer>, { bytesMax, itemsMax }: NdjsonLimits): Promise<unknown[]> {
  const items: unknown[] = [];
  let line = 0;
  let bytes = 0;
  let begun: Buffer[] = [];
  const endLine = (end: Buffer): void => {
    line += 1;
    const text = (begun.length === 0 ? end : Buffer.concat([...begun, end])).toString().trim();
    begun = [];
    if (text === '') return;
    if (items.length === itemsMax) throw tooMany(itemsMax);
    items.push(parsed(text, line));
  };
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      endLine(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
  if (begun.length > 0) endLine(Buffer.alloc(0));
  return items;
}

function parsed(text: string, line: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return new BadLine(line);
  }
}

function tooMany(itemsMax: number): ProblemError {
  const message = `must have at most ${itemsMax} items`;
  return new ProblemError('validation', {
    detail: `The batch ${message}.`,
    errors: [{ field: '', message, limit: itemsMax }],
    headers: { connection: 'close' },
  });
}

function tooLarge(bytesMax: number): ProblemError {
  return new ProblemError('body-too-large', {
    detail: `The body may have at most ${bytesMax} bytes, compressed and decoded.`,
    headers: { connection: 'close' },
  });
}
