import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { DailyBudget } from './daily-budget.ts';

const noon = Date.UTC(2026, 10, 30, 12);
const ann = { kind: 'jwt', issuer: 'https://issuer', subject: 'ann' } as const;
const key = { kind: 'api-key', issuer: '', subject: 'ann' } as const;

function budget(bytesMax: number): { readonly daily: DailyBudget; readonly calls: () => number } {
  const counters = new Map<string, number>();
  let calls = 0;
  const multi = () => {
    calls += 1;
    const chain = {
      incrby: (name: string, bytes: number) => (counters.set(name, (counters.get(name) ?? 0) + bytes), chain),
      expire: () => chain,
      exec: async () => [],
    };
    return chain;
  };
  const get = async (name: string): Promise<string | null> => {
    calls += 1;
    return counters.get(name)?.toString() ?? null;
  };
  return { daily: new DailyBudget({ get, multi } as unknown as Redis, { name: 'queries', bytesMax }), calls: () => calls };
}

it('the budget of a principal is its own, and is used up by the bytes of ended queries until midnight', async () => {
  const { daily } = budget(100);
  await daily.add(ann, 60, noon);
  await daily.check(ann, noon);
  await daily.add(ann, 40, noon);
  await expect(daily.check(ann, noon)).rejects.toMatchObject({
    code: 'too-many-requests',
    retryAfterSeconds: 43_200,
    message: expect.stringContaining('have scanned 100 bytes today, and QUERY_DAILY_BYTES_MAX is 100') as string,
  });
  await daily.check(key, noon);
  await daily.check(ann, noon + 43_200_000);
});

it('a budget without a limit makes no call', async () => {
  const { daily, calls } = budget(0);
  await daily.add(ann, 60, noon);
  await daily.check(ann, noon);
  expect(calls()).toBe(0);
});
