import { expect, it } from 'vitest';
import { median, meets, sumOf } from './figures.ts';

it('the median of an even number of values is the mean of the two middle ones', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
});

it('a figure meets its target from either side', () => {
  const figure = { name: 'x', value: 2, unit: 'ratio' };
  expect(meets(figure)).toBeUndefined();
  expect([meets({ ...figure, target: { atMost: 1.2 } }), meets({ ...figure, target: { atLeast: 2 } })]).toEqual([false, true]);
});

it('a metric is summed over the samples with a label', () => {
  const text = '# HELP a\na{p="s3",x="1"} 2\na{p="s3",x="2"} 3.5\na{p="glue"} 7\nab{p="s3"} 100\n';
  expect([sumOf(text, 'a', 'p="s3"'), sumOf(text, 'a')]).toEqual([5.5, 12.5]);
});
