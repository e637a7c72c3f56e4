import { expect, it } from 'vitest';
import { showProgress } from './show-progress.ts';

function recordingScreen(): {
  readonly lines: string[];
  step<T>(what: string, run: (note: (text: string) => void) => Promise<T>): Promise<T>;
} {
  const lines: string[] = [];
  return {
    lines,
    async step(what, run) {
      lines.push(`begin ${what}`);
      try {
        const result = await run((text) => lines.push(`note ${text}`));
        lines.push(`end ${what}`);
        return result;
      } catch (error) {
        lines.push(`fail ${what}`);
        throw error;
      }
    },
  };
}

const titles = { plan: 'Plan', produce: (total: number) => `Produce ${total} events` };

it('each phase is shown as a step, one after the other', async () => {
  const screen = recordingScreen();
  const result = await showProgress(screen, titles, async (onProgress) => {
    onProgress({ phase: 'plan' });
    onProgress({ phase: 'produce', total: 2 });
    await new Promise(setImmediate);
    onProgress({ phase: 'produce', detail: '1 acknowledged' });
    return 7;
  });
  expect(result).toBe(7);
  expect(screen.lines).toEqual(['begin Plan', 'end Plan', 'begin Produce 2 events', 'note 1 acknowledged', 'end Produce 2 events']);
});

it('a failed operation marks its current phase, and the error is passed on', async () => {
  const screen = recordingScreen();
  const failed = showProgress(screen, titles, async (onProgress) => {
    onProgress({ phase: 'plan' });
    onProgress({ phase: 'produce', total: 1 });
    await new Promise(setImmediate);
    throw new Error('refused');
  });
  await expect(failed).rejects.toThrow('refused');
  expect(screen.lines).toEqual(['begin Plan', 'end Plan', 'begin Produce 1 events', 'fail Produce 1 events']);
});

it('no step is shown for an operation that fails before its first phase', async () => {
  const screen = recordingScreen();
  await expect(showProgress(screen, titles, async () => await Promise.reject(new Error('invalid')))).rejects.toThrow('invalid');
  expect(screen.lines).toEqual([]);
});
