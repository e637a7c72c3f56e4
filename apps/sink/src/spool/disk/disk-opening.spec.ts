import { describe, expect, it } from 'vitest';
import { DiskOpening } from './disk-opening.ts';
import { SinkError } from '../../errors.ts';

const full = new SinkError('disk-full', 'the disk is full');

/** A full disk, and a wait that ends on `goOn`. */
class FullDisk {
  readonly failures: Error[] = [];
  readonly stopping = new AbortController();
  error: Error | undefined = full;
  waits = 0;
  #goOn: () => void = () => undefined;

  async begin(): Promise<DiskOpening> {
    return await DiskOpening.begin(
      async () => {
        if (this.error !== undefined) throw this.error;
      },
      {
        patience: {
          wait: async () => {
            this.waits += 1;
            await new Promise<void>((resolve) => (this.#goOn = resolve));
          },
        },
        signal: this.stopping.signal,
        onFailure: (error) => void this.failures.push(error),
      },
    );
  }

  goOn(): void {
    this.#goOn();
  }
}

describe('DiskOpening', () => {
  it('the opening returns while the disk is full, gives the reason, and completes when there is room', async () => {
    const disk = new FullDisk();
    const opening = await disk.begin();
    expect(opening.failure).toBe(full);
    disk.goOn();
    await expect.poll(() => disk.waits).toBe(2);
    disk.error = undefined;
    disk.goOn();
    await opening.done;
    expect(opening.failure).toBeUndefined();
    expect(disk.failures).toEqual([full, full]);
  });

  it('the opening fails at once on an error that freeing space cannot fix', async () => {
    const disk = new FullDisk();
    disk.error = new Error('EACCES');
    await expect(disk.begin()).rejects.toThrow('EACCES');
  });

  it('the opening keeps retrying after any other error once it has returned, because that error may pass too', async () => {
    const disk = new FullDisk();
    const opening = await disk.begin();
    disk.error = new Error('EIO');
    disk.goOn();
    await expect.poll(() => disk.waits).toBe(2);
    expect(opening.failure).toBe(disk.error);
    disk.error = undefined;
    disk.goOn();
    await opening.done;
    expect(opening.failure).toBeUndefined();
  });

  it('the opening stops retrying when the sink stops', async () => {
    const disk = new FullDisk();
    const opening = await disk.begin();
    disk.stopping.abort(new Error('the sink stops'));
    disk.error = undefined;
    disk.goOn();
    const outcome = await Promise.race([
      opening.done.then(() => 'done'),
      new Promise((resolve) => setImmediate(() => resolve('given up'))),
    ]);
    expect(outcome).toBe('given up');
  });
});
