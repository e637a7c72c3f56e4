import { expect, it } from 'vitest';
import { KeptProgress } from './kept-progress.ts';
import type { QueryProgress } from './query-record.ts';

const begun: QueryProgress = { startedAt: 1 };
const started: QueryProgress = { startedAt: 1, executionId: 'a' };

/** Writes whose ends the test controls. */
function writes() {
  const written: QueryProgress[] = [];
  const open: PromiseWithResolvers<void>[] = [];
  const kept = new KeptProgress(async (progress) => {
    written.push(progress);
    const write = Promise.withResolvers<void>();
    open.push(write);
    await write.promise;
  });
  return { kept, written, open };
}

it('progress that could not be written is written once by the next try', async () => {
  const { kept, written, open } = writes();
  const saving = kept.save(started);
  open[0]!.reject(new Error('away'));
  await expect(saving).rejects.toThrow('away');
  const again = kept.retry();
  open[1]!.resolve();
  await again;
  await kept.retry();
  expect(written).toEqual([started, started]);
});

it('an older progress never comes after a newer one', async () => {
  const { kept, written, open } = writes();
  const first = kept.save(begun);
  const second = kept.save(started);
  void kept.retry();
  expect(written).toEqual([begun]);
  open[0]!.resolve();
  await expect.poll(() => open.length).toBe(2);
  open[1]!.resolve();
  await Promise.all([first, second]);
  expect(written).toEqual([begun, started]);
});

it('a try that fails again is silent', async () => {
  const { kept, open } = writes();
  const saving = kept.save(begun);
  open[0]!.reject(new Error('away'));
  await expect(saving).rejects.toThrow('away');
  const again = kept.retry();
  open[1]!.reject(new Error('away'));
  await expect(again).resolves.toBeUndefined();
});

it('the progress of the execution joins the newest saved progress, and an unchanged value is not written', async () => {
  const written: QueryProgress[] = [];
  const kept = new KeptProgress(async (progress) => void written.push(progress));
  const reading = { phase: 'executing', bytesScanned: 10 } as const;
  await kept.note(reading);
  await kept.save(begun);
  await kept.note(reading);
  await kept.note({ ...reading });
  await kept.save(started);
  await kept.note({ phase: 'writing', bytesScanned: 10 });
  expect(written).toEqual([
    begun,
    { ...begun, reading },
    { ...started, reading },
    { ...started, reading: { ...reading, phase: 'writing' } },
  ]);
});
