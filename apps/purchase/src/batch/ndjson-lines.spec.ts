import { describe, expect, it } from 'vitest';
import { BadLine, readNdjson } from './ndjson-lines.ts';

const limits = { bytesMax: 1000, itemsMax: 5 };

/** The text in chunks of some length, as a connection may deliver it. */
async function* chunksOf(text: string, length: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += length) yield await Promise.resolve(bytes.subarray(from, from + length));
}

describe('readNdjson', () => {
  it.each([1, 2, 3, 7, 100])('a body in chunks of %i bytes has the same items', async (length) => {
    const text = '{"a": "∞"}\r\n\n  \n[1,\n2\n';
    expect(await readNdjson(chunksOf(text, length), limits)).toEqual([{ a: '∞' }, new BadLine(4), 2]);
  });

  it('a body needs no newline at its end, and may be empty', async () => {
    expect(await readNdjson(chunksOf('1\n2', 10), limits)).toEqual([1, 2]);
    expect(await readNdjson(chunksOf('\n\n', 10), limits)).toEqual([]);
  });

  it('a body with too many items is refused with the limit', async () => {
    expect(await readNdjson(chunksOf('1\n'.repeat(5), 10), limits)).toHaveLength(5);
    await expect(readNdjson(chunksOf('1\n'.repeat(6), 10), limits)).rejects.toMatchObject({
      code: 'validation',
      details: { errors: [{ field: '', message: 'must have at most 5 items', limit: 5 }] },
    });
  });

  it('a body above the byte limit is not read to its end', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        read += 100;
        yield await Promise.resolve(Buffer.alloc(100, 'x'));
      }
    }
    await expect(readNdjson(endless(), limits)).rejects.toMatchObject({ code: 'body-too-large' });
    expect(read).toBe(1100);
  });
});
