import { expect, it } from 'vitest';
import { metricSum } from '../../metrics.ts';
import { largestRate } from './service-samples.ts';

const text = '# HELP a\na{lane="0"} 2\na{lane="1"} 3.5\nb 7\nab{lane="0"} 100\n';

it('the series of a metric are summed', () => {
  expect([metricSum(text, 'a'), metricSum(text, 'a', 'lane="1"'), metricSum(text, 'b')]).toEqual([5.5, 3.5, 7]);
});

it('a metric without a series has no value', () => {
  expect(metricSum(text, 'c')).toBeUndefined();
});

it('the largest rate is that of the steepest window', () => {
  const series = [0, 0, 10, 40, 70, 70].map((value, second) => [second, value] as const);
  expect(largestRate(series, 2)).toBe(30);
});

it('a series shorter than the window has no rate', () => {
  expect(largestRate([[0, 1]], 2)).toBeUndefined();
});
