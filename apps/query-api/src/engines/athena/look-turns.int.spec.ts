import { createPipeline } from '@millrace/resilience';
import { requestConnection, settled } from '@millrace/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CallGuard } from '../../guards.ts';
import { testParts } from '../../testing-lake.ts';
import type { LookTurn } from './athena-engine.ts';
import { sharedLookTurns } from './look-turns.ts';

const key = `millrace:test-${crypto.randomUUID()}:athena-looks`;
const connections = [0, 1].map(() => requestConnection({ url: testParts.redisUrl }, [createPipeline({ name: 'redis' })], () => undefined));
const direct: CallGuard = async (_call, run) => await run(new AbortController().signal);
const waits: number[] = [];

function turnsOf(worker: number, guard = direct): LookTurn {
  return sharedLookTurns(connections[worker]!, { key, perSecond: 20 }, guard, async (ms) => void waits.push(ms));
}

beforeAll(async () => await Promise.all(connections.map(async (connection) => await settled(connection, 5000))));
afterAll(async () => {
  await connections[0]!.del(key);
  for (const connection of connections) connection.disconnect();
});

it('two workers share the polls of a second, and each further poll waits for its turn', async () => {
  const { signal } = new AbortController();
  const workers = [turnsOf(0), turnsOf(1)];
  const start = performance.now();
  await Promise.all(Array.from({ length: 60 }, async (_, n) => await workers[n % 2]!(signal)));
  const passedMs = performance.now() - start;
  // The bucket holds the 20 tokens of one second. The last of 60 polls waits two seconds, less the time that has passed.
  expect(Math.max(...waits)).toBeLessThanOrEqual(2000);
  expect(Math.max(...waits)).toBeGreaterThanOrEqual(2000 - passedMs - 1);
  expect(waits.length).toBeLessThanOrEqual(40);
  expect(waits.length).toBeGreaterThanOrEqual(40 - Math.ceil(passedMs / 50) - 1);
});

it('a worker polls at once while Redis does not answer, and not at all after its query was stopped', async () => {
  const before = waits.length;
  await turnsOf(0, async () => await Promise.reject(new Error('Redis is away')))(new AbortController().signal);
  expect(waits).toHaveLength(before);
  const reason = new Error('stopped');
  await expect(turnsOf(0)(AbortSignal.abort(reason))).rejects.toBe(reason);
});
