import { expect, it } from 'vitest';
import { RecentRead } from './recent-read.ts';

/** Reads that end when the test says so, at times that the test sets. */
function reads() {
  const state = { now: 1000, begun: 0 };
  const ends: ((value: string | undefined) => void)[] = [];
  const read = new RecentRead<string>(
    async () => {
      state.begun += 1;
      return await new Promise((resolve) => ends.push(resolve));
    },
    () => state.now,
  );
  return { state, read, end: (value: string | undefined) => ends.shift()!(value) };
}

async function known(): Promise<ReturnType<typeof reads>> {
  const all = reads();
  const first = all.read.read(1000);
  all.end('first');
  expect(await first).toBe('first');
  return all;
}

it('a read serves callers that accept its age', async () => {
  const { state, read } = await known();
  state.now += 500;
  expect(await read.read(1000)).toBe('first');
  expect(state.begun).toBe(1);
});

it('a caller that accepts no age gets a read that begins with its call', async () => {
  const { state, read, end } = await known();
  const fresh = read.read(0);
  expect(state.begun).toBe(2);
  end('second');
  expect(await fresh).toBe('second');
});

it('past half of the age one read begins in the background, and its value is the next one', async () => {
  const { state, read, end } = await known();
  state.now += 501;
  expect(await Promise.all([read.read(1000), read.read(1000)])).toEqual(['first', 'first']);
  expect(state.begun).toBe(2);
  end('second');
  await Promise.resolve();
  await expect.poll(async () => await read.read(1000)).toBe('second');
});

it('past the age a caller waits for the next read', async () => {
  const { state, read, end } = await known();
  state.now += 1001;
  const later = read.read(1000);
  end('second');
  expect(await later).toBe('second');
});

it('a value that is not known replaces nothing, and is not kept', async () => {
  const { state, read, end } = await known();
  const unknown = read.read(0);
  end(undefined);
  expect(await unknown).toBeUndefined();
  expect(await read.read(1000)).toBe('first');
  state.now += 1001;
  const later = read.read(1000);
  end(undefined);
  expect(await later).toBeUndefined();
});
