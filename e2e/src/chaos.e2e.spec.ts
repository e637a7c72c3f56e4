import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readExperiment } from './chaos/experiment/read-experiment.ts';
import { runExperiment } from './chaos/run-experiment.ts';
import { Stage } from './chaos/stage/stage.ts';

const stage = new Stage();
afterAll(async () => await stage.close());

it('a short experiment attacks one of two groups, rolls back, and has every acknowledged event of both groups in the tables', async () => {
  const file = join(import.meta.dirname, '..', '..', 'chaos', 'kafka-down.yaml');
  const experiment = await readExperiment(file);
  const { verdict, attacks, delivery, steps, judged } = await runExperiment(
    {
      ...experiment,
      load: { purchase: 15 },
      phases: { before: 2, during: 6, settle: 2, after: 2 },
      method: [{ attack: 'refuse', target: 'kafka', seconds: 6 }],
      // Times on a busy machine are meaningless.
      'steady-state': [{ stream: 'purchase', measure: 'arrival-share', 'at-least': 0.5 }],
      hypothesis: {
        ...experiment.hypothesis,
        probes: [{ service: 'purchase', metric: 'millrace_purchase_outbox_queued_total', 'at-least': 1 }],
        'no-worse': [],
      },
    },
    { file, stage, signal: AbortSignal.timeout(290_000), tell: () => undefined },
  );
  expect({ verdict, missed: judged.filter(({ met }) => !met) }).toEqual({ verdict: 'held', missed: [] });
  expect(attacks).toMatchObject([{ attack: 'refuse', target: 'kafka', tookEffect: true }]);
  expect(steps.map(({ what }) => what)).toContain('roll back: clear-faults kafka');
  expect(Object.values(delivery).map(({ lost, duplicated }) => lost + duplicated)).toEqual([0, 0]);
}, 300_000);
