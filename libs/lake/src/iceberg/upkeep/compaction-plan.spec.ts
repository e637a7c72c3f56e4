import fc from 'fast-check';
import { expect, it } from 'vitest';
import { generationMax, isSmall, planCompaction, type CompactionLimits, type SmallFile } from './compaction-plan.ts';

interface File extends SmallFile {
  /** Files of the base whose rows it holds, each with the number of its rewrites. */
  readonly base: ReadonlyMap<string, number>;
}

let made = 0;

function baseFile(dt: string, bytes: number): File {
  const uri = `base-${String((made += 1)).padStart(9, '0')}`;
  return { uri, manifest: 'm', dt, generation: 0, bytes, rows: 1, base: new Map([[uri, 0]]) };
}

function merge(files: File[], limits: CompactionLimits): boolean {
  const plan = planCompaction(files, limits);
  if (plan === undefined) return false;
  const inputs = plan.inputs as File[];
  expect(new Set(inputs.map(({ dt }) => dt))).toEqual(new Set([plan.dt]));
  const base = new Map(inputs.flatMap((input) => [...input.base].map(([uri, rewrites]): [string, number] => [uri, rewrites + 1])));
  expect(base.size).toBe(inputs.reduce((sum, input) => sum + input.base.size, 0));
  for (const input of inputs) files.splice(files.indexOf(input), 1);
  const sum = (of: (file: File) => number): number => inputs.reduce((total, input) => total + of(input), 0);
  files.push({
    ...baseFile(
      plan.dt,
      sum(({ bytes }) => bytes),
    ),
    generation: plan.generation,
    rows: sum(({ rows }) => rows),
    base,
  });
  return true;
}

it('no row is rewritten more than three times, and each day keeps few files, whatever arrives', () => {
  const arrivals = fc.array(fc.record({ day: fc.nat(2), files: fc.integer({ min: 1, max: 40 }), bytes: fc.integer({ min: 1, max: 60 }) }), {
    minLength: 1,
    maxLength: 40,
  });
  const limits = fc.record({
    filesMin: fc.integer({ min: 2, max: 6 }),
    targetBytes: fc.integer({ min: 50, max: 100_000 }),
    filesMax: fc.constant(40),
  });
  fc.assert(
    fc.property(arrivals, limits, (steps, limit) => {
      const files: File[] = [];
      for (const { day, files: count, bytes } of steps) {
        for (let n = 0; n < count; n += 1) files.push(baseFile(`day-${day}`, bytes));
        for (let passes = 0; merge(files, limit); passes += 1) expect(passes).toBeLessThan(1000);
        for (const file of files) for (const rewrites of file.base.values()) expect(rewrites).toBeLessThanOrEqual(generationMax);
        for (let generation = 0; generation < generationMax; generation += 1) {
          const small = files.filter((file) => file.dt === `day-${day}` && file.generation === generation && isSmall(file, limit));
          expect(small.length).toBeLessThan(limit.filesMin);
        }
      }
      // A small file of the last generation holds at least filesMin³ files of the base: their number cannot grow quickly.
      for (const file of files.filter(({ generation, bytes }) => generation === generationMax && bytes < limit.targetBytes / 2))
        expect(file.base.size).toBeGreaterThanOrEqual(limit.filesMin ** generationMax);
    }),
    { numRuns: 60, seed: 17 },
  );
});

it('a day at the default flush, 11,520 files of 60 KB, keeps at most 48 small files, and reads its bytes at most three times', () => {
  const limits = { filesMin: 16, targetBytes: 256 * 1024 * 1024, filesMax: 1000 };
  const files: File[] = [];
  let [bytesRead, most] = [0, 0];
  for (let n = 0; n < 11_520; n += 1) {
    files.push(baseFile('2026-01-01', 60_000));
    const before = files.reduce((sum, { bytes, generation }) => sum + bytes * generation, 0);
    while (merge(files, limits));
    bytesRead += files.reduce((sum, { bytes, generation }) => sum + bytes * generation, 0) - before;
    most = Math.max(most, files.length);
  }
  expect(most).toBeLessThanOrEqual(48);
  expect(bytesRead).toBeLessThanOrEqual(3 * 11_520 * 60_000);
});

it('a day with few files, and a file of half the target, stay as they are', () => {
  const limits = { filesMin: 3, targetBytes: 100, filesMax: 10 };
  expect(planCompaction([baseFile('a', 1), baseFile('a', 1), baseFile('b', 1), baseFile('b', 50)], limits)).toBeUndefined();
  expect(planCompaction([baseFile('a', 49), baseFile('a', 49)], limits)).toBeUndefined();
  // Below the number of files, the bytes of a generation are enough.
  expect(
    planCompaction(
      [40, 40, 40].map((bytes) => baseFile('a', bytes)),
      { ...limits, filesMin: 9 },
    )?.inputs,
  ).toHaveLength(2);
});

it('the fullest day is first, and the oldest rewrites are never left behind by a limit', () => {
  const limits = { filesMin: 2, targetBytes: 1000, filesMax: 3 };
  const old = [1, 2].map(() => ({ ...baseFile('b', 1), generation: 1 }));
  const plan = planCompaction([baseFile('a', 1), baseFile('a', 1), ...[1, 2, 3].map(() => baseFile('b', 1)), ...old], limits);
  expect(plan).toMatchObject({ dt: 'b', generation: 2 });
  expect(plan!.inputs.map(({ generation }) => generation)).toEqual([1, 1, 0]);
});
