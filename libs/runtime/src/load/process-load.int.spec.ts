import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ProcessLoad } from './process-load.ts';

it('the histogram of Node shows a blocked event loop', async () => {
  const load = new ProcessLoad({ sampleMs: 20 });
  load.start();
  try {
    let highestMs = 0;
    for (let turn = 0; turn < 20; turn += 1) {
      const until = performance.now() + 60;
      while (performance.now() < until) Math.sqrt(until);
      await wait(0);
      highestMs = Math.max(highestMs, load.eventLoopDelayMs());
    }
    // Every turn takes 60 ms at least; less the resolution of 10 ms.
    expect(highestMs).toBeGreaterThan(40);
  } finally {
    load.stop();
  }
});
