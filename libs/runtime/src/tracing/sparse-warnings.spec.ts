import { expect, it } from 'vitest';
import { sparseWarnings } from './otlp-tracing.ts';

it('an unreachable collector causes one warning a minute, with the number of omitted warnings', () => {
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
