import { describe, expect, it } from 'vitest';
import type { Interrupts } from './build.ts';
import { InterruptedError } from './errors.mjs';
import { exitCodeOf, Interruption, unlessInterrupted } from './interruption.mjs';

function interruptionAt(): { interruption: Interruption; clock: { now: number } } {
  const clock = { now: 1000 };
  return { interruption: new Interruption(() => clock.now), clock };
}

describe('Interruption', () => {
  it('the first signal asks for a clean stop, and a later one for an immediate stop', () => {
    const { interruption, clock } = interruptionAt();
    expect([interruption.signal.aborted, interruption.hard.aborted, interruption.exitCode]).toEqual([false, false, 0]);
    interruption.onSignal('SIGINT');
    expect([interruption.signal.aborted, interruption.hard.aborted, interruption.exitCode]).toEqual([true, false, 130]);
    clock.now += 500;
    interruption.onSignal('SIGTERM');
    expect([interruption.hard.aborted, interruption.exitCode]).toEqual([true, 130]);
  });

  it('two signals of one Ctrl-C count as one', () => {
    const { interruption, clock } = interruptionAt();
    interruption.onSignal('SIGINT');
    clock.now += 499;
    interruption.onSignal('SIGINT');
    expect(interruption.hard.aborted).toBe(false);
  });

  it('the signals survive a spread into options', () => {
    const { interruption } = interruptionAt();
    const interrupts: Interrupts = interruption;
    const { signal, hard } = { ...interrupts };
    interruption.onSignal('SIGINT');
    expect([signal.aborted, hard.aborted]).toEqual([true, false]);
  });

  it('a failure just before a signal counts as caused by the signal', async () => {
    const { interruption } = interruptionAt();
    const explained = interruption.explainsFailure();
    interruption.onSignal('SIGINT');
    expect(await explained).toBe(true);
    expect(await interruptionAt().interruption.explainsFailure()).toBe(false);
  });

  it('the exit code follows the convention of shells', () => {
    expect([exitCodeOf('SIGHUP'), exitCodeOf('SIGINT'), exitCodeOf('SIGTERM')]).toEqual([129, 130, 143]);
  });
});

describe('unlessInterrupted', () => {
  it('the result or the error of the work is returned', async () => {
    const { signal } = new Interruption();
    expect(await unlessInterrupted(Promise.resolve(1), signal)).toBe(1);
    await expect(unlessInterrupted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  it('an interruption ends the wait for the work', async () => {
    const interruption = new Interruption();
    const waiting = unlessInterrupted(new Promise(() => undefined), interruption.signal);
    interruption.onSignal('SIGINT');
    await expect(waiting).rejects.toThrow(InterruptedError);
    await expect(unlessInterrupted(Promise.resolve(1), interruption.signal)).rejects.toThrow(InterruptedError);
  });
});
