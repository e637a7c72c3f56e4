import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

describe('waiting for work that takes no signal', () => {
  it('gives what the work gives, or throws what it throws, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    await expect(unlessAborted(Promise.reject(new Error('down')), signal)).rejects.toThrow('down');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends when the signal aborts, and drops what the work says later', async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<number>();
    const waited = unlessAborted(work.promise, controller.signal);
    controller.abort(new Error('enough'));
    expect(await waited).toBeUndefined();
    work.reject(new Error('too late'));
    expect(await unlessAborted(work.promise, controller.signal)).toBeUndefined();
  });
});
