import type CircuitBreaker from 'opossum';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GatedCall, OpossumGate } from './opossum-gate.ts';
import { down, setUp } from '../testing/set-up.ts';

const succeeding: GatedCall = { begin: () => Promise.resolve(1) };
const failing: GatedCall = { begin: () => Promise.reject(down) };

/** The opossum breaker inside the gate. Tests verify that it does nothing itself. */
const inner = (gate: OpossumGate): CircuitBreaker => gate.opossum;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a pipeline', () => {
  it('calls of a closed circuit pass the gate; probes and calls of a disabled breaker bypass it', async () => {
    const fire = vi.spyOn(OpossumGate.prototype, 'fire');
    const told: string[] = [];
    vi.spyOn(OpossumGate.prototype, 'open').mockImplementation(() => void told.push('open'));
    vi.spyOn(OpossumGate.prototype, 'close').mockImplementation(() => void told.push('close'));
    const { pipeline, clock } = setUp({
      name: 'kafka',
      breaker: { minimumCalls: 1, breakDurationMs: 10, breakDurationJitter: 0, probes: 1 },
    });
    const fired = async (work: () => unknown): Promise<number> => {
      const before = fire.mock.calls.length;
      await pipeline.executeOutcome(work);
      return fire.mock.calls.length - before;
    };
    expect(await fired(() => 1)).toBe(1);
    expect(await fired(() => Promise.reject(down))).toBe(1);
    await clock.advance(10);
    expect(await fired(() => 1)).toBe(0);
    expect(await fired(() => 1)).toBe(1);
    pipeline.forceClosed();
    expect(await fired(() => 1)).toBe(1);
    pipeline.disable();
    expect(await fired(() => 1)).toBe(0);
    pipeline.forceOpen();
    expect(await fired(() => 1)).toBe(0);
    pipeline.auto();
    expect(told).toEqual(['open', 'close', 'close', 'close', 'open', 'close']);
  });
});

describe('OpossumGate', () => {
  it('the gate settles as the call does and stays closed regardless of failures', async () => {
    const gate = new OpossumGate('kafka');
    expect(await gate.fire(succeeding)).toBe(1);
    for (let i = 0; i < 200; i += 1) await expect(gate.fire(failing)).rejects.toBe(down);
    expect(await gate.fire(succeeding)).toBe(1);
    // The gate counts no failures and sorts no latencies.
    expect([inner(gate).name, inner(gate).stats.failures, inner(gate).stats.latencyMean]).toEqual(['kafka', 0, -1]);
  });

  it('an open gate starts no call and stays open until it is closed', async () => {
    const gate = new OpossumGate('kafka');
    const begin = vi.fn<GatedCall['begin']>(() => Promise.resolve(1));
    gate.open();
    vi.advanceTimersByTime(86_400_000);
    await expect(gate.fire({ begin })).rejects.toThrow('Breaker is open');
    expect(begin).not.toHaveBeenCalled();
    gate.close();
    expect(await gate.fire({ begin })).toBe(1);
  });

  it('the gate has no time limit', async () => {
    const gate = new OpossumGate('kafka');
    const { promise, resolve } = Promise.withResolvers<number>();
    const late = gate.fire({ begin: () => promise });
    vi.advanceTimersByTime(86_400_000);
    resolve(7);
    expect(await late).toBe(7);
  });

  it('the gate sets no timer and leaves none behind', async () => {
    const gate = new OpossumGate('kafka');
    await gate.fire(succeeding);
    expect(vi.getTimerCount()).toBe(0);
    gate.open();
    gate.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('the gate limits the number of latencies that opossum stores', async () => {
    const gate = new OpossumGate('kafka');
    for (let i = 0; i < 3000; i += 1) await gate.fire(succeeding);
    const window = Reflect.get(Reflect.get(inner(gate), 'status') as object, 'window') as readonly {
      readonly latencyTimes: readonly number[];
    }[];
    expect(window.map(({ latencyTimes }) => latencyTimes.length).filter((length) => length > 0)).toEqual([952, 1024, 1024]);
  });
});
