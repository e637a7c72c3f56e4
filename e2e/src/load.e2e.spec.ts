import { expect, it } from 'vitest';
import { runLoad } from './load/run-load.ts';
import { stack } from './stack.ts';

it('a smoke load has all its requests answered, and every acknowledged event is in the table once', async () => {
  const { judged, lake, phases } = await runLoad({
    profile: 'smoke',
    soak: { seconds: 1, rebalanceEverySeconds: 1 },
    services: { purchase: stack.purchaseUrl },
    signal: AbortSignal.timeout(290_000),
    tell: () => undefined,
    watch: () => undefined,
  });
  // Times on a busy machine are meaningless, and the services may shed requests. The counts are exact.
  expect(judged.filter(({ met, name }) => !met && /arrival|table/.test(name))).toEqual([]);
  expect(lake).toMatchObject({ lost: 0, duplicated: 0, landed: lake.acknowledged });
  expect(lake.acknowledged).toBeGreaterThan(0);
  expect(phases.flatMap(({ totals }) => Object.values(totals).map(({ planned, sent, dropped }) => planned - sent - dropped))).toEqual([
    0, 0, 0,
  ]);
}, 300_000);
