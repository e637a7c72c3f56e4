import { describe, expect, it } from 'vitest';
import { ChaosFaultError, PipelineSettingsError } from '../errors/errors.ts';
import type { ChaosRule } from '../settings/pipeline-spec.ts';
import { setUp } from '../testing/set-up.ts';
import { settled } from '../testing/virtual-clock.ts';

function withRules(...rules: readonly ChaosRule[]) {
  return setUp({ name: 'athena', timeout: { attemptMs: 100 }, breaker: {}, bulkhead: {}, chaos: { allowed: true, rules } });
}

describe('chaos', () => {
  it('chaos must be allowed when the pipeline is created', () => {
    expect(() => setUp({ name: 'athena', chaos: { allowed: false, rules: [{ kind: 'fault' }] } })).toThrow(PipelineSettingsError);
    const { pipeline } = setUp({ name: 'athena' });
    expect(() => pipeline.update({ chaos: { rules: [] } })).toThrow('chaos is not allowed');
    expect(pipeline.settings().chaos).toEqual({ allowed: false, rules: [] });
  });

  it('a fault fails the attempt, and the breaker counts it', async () => {
    const { pipeline, told } = withRules({ kind: 'fault' });
    let asked = false;
    expect(await pipeline.executeOutcome(() => (asked = true))).toEqual({
      result: 'failed',
      error: new ChaosFaultError('athena'),
      attempts: 1,
    });
    expect(asked).toBe(false);
    expect(pipeline.snapshot()).toMatchObject({ breaker: { failures: 1 }, totals: { chaosInjections: 1 } });
    expect(told('ChaosInjected')).toMatchObject([{ kind: 'fault' }]);
  });

  it('a fault throws the configured error', async () => {
    const throttled = new Error('SlowDown');
    expect(await withRules({ kind: 'fault', error: () => throttled }).pipeline.executeOutcome(() => 1)).toMatchObject({ error: throttled });
  });

  it('an outcome answers instead of the work', async () => {
    expect(await withRules({ kind: 'outcome', value: 'chaos' }).pipeline.execute(() => 'work')).toBe('chaos');
  });

  it('a latency delays the work', async () => {
    const { pipeline, clock } = withRules({ kind: 'latency', ms: 30 });
    let begunAt = 0;
    const outcome = pipeline.execute(() => {
      begunAt = clock.monotonic();
      return 1;
    });
    await clock.advance(30);
    expect(await outcome).toBe(1);
    expect(begunAt).toBe(1_000_030);
  });

  it('delayed work does not start after its attempt has timed out', async () => {
    const { pipeline, clock } = withRules({ kind: 'latency', ms: 200 });
    let asked = false;
    const outcome = pipeline.executeOutcome(() => (asked = true));
    await clock.advance(300);
    expect(await outcome).toMatchObject({ error: { code: 'attempt-timeout' } });
    expect(asked).toBe(false);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, zombies: 0 });
  });

  it('a hanging attempt ends when the rules change', async () => {
    const { pipeline, clock } = withRules({ kind: 'hang' });
    const outcome = pipeline.executeOutcome(() => 1);
    await clock.advance(100);
    expect(await outcome).toMatchObject({ error: { code: 'attempt-timeout' } });
    await clock.advance(100_000);
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 1, zombies: 1 });
    pipeline.update({ chaos: { rules: [] } });
    await settled();
    expect(pipeline.snapshot()).toMatchObject({ inFlight: 0, zombies: 0 });
    expect(await pipeline.execute(() => 1)).toBe(1);
  });

  it('rules select calls by key and rate, and the first matching rule applies', async () => {
    let drawn = 0;
    const { pipeline } = setUp(
      {
        name: 'athena',
        chaos: {
          allowed: true,
          rules: [
            { kind: 'outcome', value: 'key', keys: ['a', 'b'] },
            { kind: 'outcome', value: 'rate', rate: 0.25 },
          ],
        },
      },
      { random: () => drawn },
    );
    const ask = (key?: string) => pipeline.execute(() => 'work', { key });
    drawn = 0.25;
    expect(await Promise.all([ask('a'), ask('b'), ask('c'), ask()])).toEqual(['key', 'key', 'work', 'work']);
    drawn = 0.249;
    expect(await Promise.all([ask('a'), ask('c'), ask()])).toEqual(['key', 'rate', 'rate']);
  });
});
