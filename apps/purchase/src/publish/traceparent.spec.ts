import { describe, expect, it } from 'vitest';
import { traceparentOf } from './traceparent.ts';

const random = (digits: number): string => 'ab'.repeat(digits / 2);
const fresh = `00-${'ab'.repeat(16)}-${'ab'.repeat(8)}-00`;
const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the trace context', () => {
  it.each([
    ["the caller's own", good, good],
    ['the additions of a later version are left out', `cc-${good.slice(3)}-more`, `cc-${good.slice(3)}`],
    ['none', undefined, fresh],
    ['several', [good, good], fresh],
    ['not one', 'abc', fresh],
    ['all zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, fresh],
    ['a forbidden version', `ff-${good.slice(3)}`, fresh],
    ['upper case', good.toUpperCase(), fresh],
  ])('%s', (_what, header, expected) => {
    expect(traceparentOf(header, random)).toBe(expected);
  });
});
