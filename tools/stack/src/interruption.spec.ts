import { describe, expect, it } from 'vitest';
import type { Interrupts } from './build.ts';
import { InterruptedError } from './errors.mjs';
import { exitCodeOf, Interruption, unlessInterrupted } from './interruption.mjs';

function interruptionAt(): { interruption: Interruption; clock: { now: number } } {
  const clock = { now: 1000 };
  return { interruption: new Interruption(() => clock.now), clock };
}

describe('an interruption', () => {
  it('asks to stop at the first signal and to stop hard at a later one', () => {
    const { interruption, clock } = interruptionAt();
    expect([interruption.signal.aborted, interruption.hard.aborted, interruption.exitCode]).toEqual([false, false, 0]);
    interruption.onSignal('SIGINT');
    expect([interruption.signal.aborted, interruption.hard.aborted, interruption.exitCode]).toEqual([true, false, 130]);
    clock.now += 500;
    interruption.onSignal('SIGTERM');
    expect([interruption.hard.aborted, interruption.exitCode]).toEqual([true, 130]);
  });

  it('takes the copies of one Ctrl-C for one wish', () => {
    const { interruption, clock } = interruptionAt();
    interruption.onSignal('SIGINT');
    clock.now += 499;
    interruption.onSignal('SIGINT');
    expect(interruption.hard.aborted).toBe(false);
  });

  it('keeps its signals when it is spread into options', () => {
    const { interruption } = interruptionAt();
    const interrupts: Interrupts = interruption;
    const { signal, hard } = { ...interrupts };
    interruption.onSignal('SIGINT');
    expect([signal.aborted, hard.aborted]).toEqual([true, false]);
  });

  it('explains a failure that comes just before its signal', async () => {
    const { interruption } = interruptionAt();
    const explained = interruption.explainsFailure();
    interruption.onSignal('SIGINT');
    expect(await explained).toBe(true);
    expect(await interruptionAt().interruption.explainsFailure()).toBe(false);
  });

  it('has the exit code of a shell', () => {
    expect([exitCodeOf('SIGHUP'), exitCodeOf('SIGINT'), exitCodeOf('SIGTERM')]).toEqual([129, 130, 143]);
  });
});

describe('work that cannot be aborted', () => {
  it('gives its result, or its error', async () => {
    const { signal } = new Interruption();
    expect(await unlessInterrupted(Promise.resolve(1), signal)).toBe(1);
    await expect(unlessInterrupted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  it('is abandoned at an interruption', async () => {
    const interruption = new Interruption();
    const waiting = unlessInterrupted(new Promise(() => undefined), interruption.signal);
    interruption.onSignal('SIGINT');
    await expect(waiting).rejects.toThrow(InterruptedError);
    await expect(unlessInterrupted(Promise.resolve(1), interruption.signal)).rejects.toThrow(InterruptedError);
  });
});
