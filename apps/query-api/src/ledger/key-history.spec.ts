import { invertedOffset, type ListedObject } from '@millrace/lake';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyHistory } from './key-history.ts';

const { signal } = new AbortController();
let objects: ListedObject[];
let lists: number;

beforeEach(() => {
  objects = [];
  lists = 0;
});

const store = {
  listSized: async (prefix: string, { startAfter = '' }: { readonly startAfter?: string } = {}) => {
    lists += 1;
    return await Promise.resolve(objects.filter(({ key }) => key.startsWith(prefix) && key > startAfter).slice(0, 1000));
  },
};

/** Writes an object each second, with numbers from 0. The objects of a lane are in the order of their keys. */
function write(count: number): void {
  const first = objects.length;
  const added = Array.from({ length: count }, (_, n) => {
    const number = (first + n) * 10;
    return { key: `p/${invertedOffset(number)}-${number}.json`, bytes: 1, putAtMs: (first + n) * 1000 };
  });
  objects = [...added.toReversed(), ...objects];
}

describe('KeyHistory', () => {
  it('a range is listed from the newest object to its begin, and later calls list only new objects', async () => {
    write(5000);
    const history = new KeyHistory(store, 'p/');
    const first = await history.since(3_500_000, signal);
    expect([first.marks.length, first.marks[0], first.knownFromMs, lists]).toEqual([
      1500,
      { number: 49_990, atMs: 4_999_000 },
      3_500_000,
      2,
    ]);
    write(10);
    lists = 0;
    expect((await history.since(3_500_000, signal)).marks).toHaveLength(1510);
    expect(lists).toBe(1);
  });

  it('an earlier begin lists only the older objects', async () => {
    write(5000);
    const history = new KeyHistory(store, 'p/');
    await history.since(4_500_000, signal);
    lists = 0;
    const whole = await history.since(0, signal);
    expect(whole.marks.map(({ number }) => number)).toEqual(Array.from({ length: 5000 }, (_, n) => (4999 - n) * 10));
    expect(whole.knownFromMs).toBe(0);
    // One for the new objects, four for the older ones, and one that finds no more.
    expect(lists).toBe(6);
  });

  it('a call makes a limited number of lists, reports the time that it reached, and the next one continues', async () => {
    write(30_000);
    const history = new KeyHistory(store, 'p/');
    const first = await history.since(0, signal);
    expect(lists).toBe(12);
    expect([first.marks.length, first.knownFromMs]).toEqual([12_000, 18_000_000]);
    expect((await history.since(0, signal)).marks.length).toBeGreaterThan(20_000);
  });

  it('objects that are too many to catch up with replace the known ones, so that there is no hole', async () => {
    write(10);
    const history = new KeyHistory(store, 'p/');
    await history.since(0, signal);
    write(20_000);
    const { marks, knownFromMs } = await history.since(0, signal);
    expect(marks).toHaveLength(12_000);
    expect(marks.at(-1)!.atMs).toBe(knownFromMs);
  });

  it('an empty prefix has no marks, and a failed list does not stop later calls', async () => {
    const history = new KeyHistory(store, 'p/');
    expect(await history.since(0, signal)).toEqual({ marks: [], knownFromMs: 0 });
    const failing = new KeyHistory({ listSized: async () => await Promise.reject(new Error('S3 is down')) }, 'p/');
    await expect(failing.since(0, signal)).rejects.toThrow('S3 is down');
    await expect(failing.since(0, signal)).rejects.toThrow('S3 is down');
  });
});
