import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FileReads } from './file-reads.ts';
import type { LakeFile } from './lake-file.ts';

const never = new AbortController().signal;

function fileOf(key: string, bytes: number): LakeFile {
  return { bucket: 'lake', key, bytes, partition: 'p' };
}

function reader(keptBytesMax: number, fail: (key: string) => Error | undefined = () => undefined) {
  const reads: string[] = [];
  const files = new FileReads(
    async ({ key }, from, to) => {
      reads.push(`${key} ${from}-${to}`);
      const error = fail(key);
      if (error !== undefined) throw error;
      return Readable.from([Buffer.alloc(to - from, key)]);
    },
    { keptBytesMax, readMsMax: 10_000 },
  );
  return { files, reads };
}

async function bytesOf(result: Uint8Array | Readable): Promise<string> {
  if (result instanceof Uint8Array) return Buffer.from(result).toString();
  return Buffer.concat(await result.toArray()).toString();
}

it('a small file is read once and whole, for every range and for several readers at once', async () => {
  const { files, reads } = reader(1000);
  const a = fileOf('a', 100);
  const results = await Promise.all([files.read(a, 90, 100, never), files.read(a, 4, 8, never)]);
  expect(await Promise.all(results.map(bytesOf))).toEqual(['a'.repeat(10), 'aaaa']);
  expect(await bytesOf(await files.read(a, 0, 3, never))).toBe('aaa');
  expect(reads).toEqual(['a 0-100']);
});

it('the small ranges of a large file are kept, and the large ones are passed on', async () => {
  const { files, reads } = reader(1024 * 1024);
  const a = fileOf('a', 10_000_000);
  for (let n = 0; n < 2; n += 1) {
    expect((await bytesOf(await files.read(a, 9_990_000, 10_000_000, never))).length).toBe(10_000);
    expect((await bytesOf(await files.read(a, 0, 5_000_000, never))).length).toBe(5_000_000);
  }
  expect(reads).toEqual(['a 9990000-10000000', 'a 0-5000000', 'a 0-5000000']);
});

it('the least recently used entry makes room', async () => {
  const { files, reads } = reader(250);
  const [a, b, c] = [fileOf('a', 100), fileOf('b', 100), fileOf('c', 100)];
  for (const file of [a, b, a, c, a, b]) await files.read(file, 0, 1, never);
  expect(reads).toEqual(['a 0-100', 'b 0-100', 'c 0-100', 'b 0-100']);
});

it('a reader without memory keeps nothing and reads nothing ahead', async () => {
  const { files, reads } = reader(0);
  const a = fileOf('a', 100);
  files.ahead([fileOf('b', 100)]);
  await files.read(a, 0, 1, never);
  await files.read(a, 0, 1, never);
  expect(reads).toEqual(['a 0-100', 'a 0-100']);
});

it('files of the same key in another bucket or with another size are different files', async () => {
  const { files, reads } = reader(1000);
  await files.read(fileOf('a', 100), 0, 1, never);
  await files.read({ ...fileOf('a', 100), bucket: 'other' }, 0, 1, never);
  await files.read(fileOf('a', 101), 0, 1, never);
  expect(reads).toHaveLength(3);
});

it('a failure is not kept', async () => {
  let broken = true;
  const { files, reads } = reader(1000, () => (broken ? new Error('away') : undefined));
  await expect(files.read(fileOf('a', 10), 0, 10, never)).rejects.toThrow('away');
  broken = false;
  expect(await bytesOf(await files.read(fileOf('a', 10), 0, 10, never))).toBe('a'.repeat(10));
  expect(reads).toHaveLength(2);
});

it('an answer that is shorter than the range is a failure', async () => {
  const files = new FileReads(async () => Readable.from([Buffer.from('abc')]), { keptBytesMax: 1000, readMsMax: 10_000 });
  await expect(files.read(fileOf('a', 10), 0, 10, never)).rejects.toThrow('3 bytes of 10');
});

it('small files are read ahead once, at most 16 at a time; a failed one is read again on demand', async () => {
  let broken = true;
  const { files, reads } = reader(1024 * 1024, (key) => (broken && key === 'k1' ? new Error('away') : undefined));
  const many = Array.from({ length: 40 }, (_, n) => fileOf(`k${n}`, 100));
  files.ahead([fileOf('large', 10_000_000), ...many]);
  files.ahead(many);
  expect(reads).toEqual(many.slice(0, 16).map(({ key }) => `${key} 0-100`));
  while (reads.length < 17) {
    await turn();
    files.ahead(many.slice(16, 17));
  }
  broken = false;
  expect(await bytesOf(await files.read(many[1]!, 0, 2, never))).toBe('k1');
  expect(reads.filter((read) => read.startsWith('k1 '))).toHaveLength(2);
  expect(reads.filter((read) => read.startsWith('k0 '))).toHaveLength(1);
});
