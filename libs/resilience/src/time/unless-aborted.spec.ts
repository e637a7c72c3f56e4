import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

describe('unlessAborted', () => {
  it('the wait returns the result or the error of the work and leaves no listener', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('down')), signal)).rejects.toThrow('down');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('the wait ends when the signal aborts, and a later error of the work is dropped', async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<number>();
    const waited = unlessAborted(work.promise, controller.signal);
    controller.abort(new Error('enough'));
    expect(await waited).toBeUndefined();
    work.reject(new Error('too late'));
    expect(await unlessAborted(work.promise, controller.signal)).toBeUndefined();
  });
});
