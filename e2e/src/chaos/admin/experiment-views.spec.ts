import { join } from 'node:path';
import { expect, it } from 'vitest';
import { comparedValues, experimentViews } from './experiment-views.ts';

it('the values of both groups are beside each other, and a comparison is one of the experimental group', () => {
  expect(
    comparedValues([
      { name: 'before, control: purchase p99-ms', value: 50, limit: '≤ 3000', met: true },
      { name: 'before, experiment: purchase p99-ms', value: 4000, limit: '≤ 3000', met: false },
      { name: 'during, control: purchase accepted-share', value: 1, limit: '≥ 0.995', met: true },
      { name: 'during, experiment: purchase accepted-share', value: 0.99, limit: '≥ 0.98', met: true },
      { name: 'during: purchase p99-ms worse than control (p = 1.0)', value: 0, limit: '≤ 0.02', met: true },
      { name: 'delivery, control: events lost or doubled', value: undefined, limit: '≤ 0', met: false },
    ]),
  ).toEqual([
    { phase: 'before', probe: 'purchase p99-ms', control: 50, experiment: 4000, limit: '≤ 3000', met: false },
    {
      phase: 'during',
      probe: 'purchase accepted-share',
      control: 1,
      experiment: 0.99,
      limit: 'control ≥ 0.995; experiment ≥ 0.98',
      met: true,
    },
    { phase: 'during', probe: 'purchase p99-ms worse than control (p = 1.0)', experiment: 0, limit: '≤ 0.02', met: true },
    { phase: 'delivery', probe: 'events lost or doubled', limit: '≤ 0', met: false },
  ]);
});

it('each kept result is shown with the phases of its values', async () => {
  const { experiments } = await experimentViews(join(import.meta.dirname, '..', '..', '..', '..'));
  expect(experiments.length).toBeGreaterThan(20);
  const phases = new Set(experiments.flatMap(({ result }) => (result?.values ?? []).map(({ phase }) => phase)));
  expect([...phases].toSorted()).toEqual(['after', 'before', 'delivery', 'during']);
});
