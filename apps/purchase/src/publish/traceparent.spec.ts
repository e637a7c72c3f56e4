import { describe, expect, it } from 'vitest';
import { traceparentOf } from './traceparent.ts';

const random = (digits: number): string => 'ab'.repeat(digits / 2);
const fresh = `00-${'ab'.repeat(16)}-${'ab'.repeat(8)}-00`;
const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('traceparentOf', () => {
  it.each([
    ['a valid traceparent', good, good],
    ['the additions of a later version', `cc-${good.slice(3)}-more`, `cc-${good.slice(3)}`],
    ['no traceparent', undefined, fresh],
    ['several traceparents', [good, good], fresh],
    ['text that is not a traceparent', 'abc', fresh],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, fresh],
    ['a forbidden version', `ff-${good.slice(3)}`, fresh],
    ['a traceparent in upper case', good.toUpperCase(), fresh],
  ])('a request with %s gets the right trace context', (_what, header, expected) => {
    expect(traceparentOf(header, random)).toBe(expected);
  });
});
