import { expect, it } from 'vitest';
import { sparseWarnings } from './otlp-tracing.ts';

it('a collector that cannot be reached gives one warning a minute, with the number of those left out', () => {
  let now = 0;
  const lines: unknown[] = [];
  const warn = sparseWarnings({ warn: (fields: unknown) => void lines.push(fields) }, () => now);
  const error = new Error('connect ECONNREFUSED');
  for (now of [0, 5000, 59_999, 60_000]) warn(error, 'Spans could not be exported; they are lost.');
  expect(lines).toEqual([
    { leftOut: 0, err: error },
    { leftOut: 2, err: error },
  ]);
});
