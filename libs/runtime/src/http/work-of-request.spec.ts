import { describe, expect, it } from 'vitest';
import { deadlineHeaders, deadlineOf } from './work-of-request.ts';

describe('the deadline header', () => {
  it('the deadline is a time in the future, in epoch milliseconds', () => {
    expect(deadlineOf('1500', 1000)).toBe(1500);
    expect(deadlineOf(undefined, 1000)).toBeUndefined();
  });

  it('the deadline is read equally from the bytes of a Kafka header and the text of an HTTP header', () => {
    const [text] = Object.values(deadlineHeaders({ deadline: 1500.9 }));
    expect([deadlineOf(text, 1000), deadlineOf(Buffer.from(text!), 1000)]).toEqual([1500, 1500]);
    expect(() => deadlineOf(Buffer.from(text!), 1500)).toThrow(expect.objectContaining({ code: 'deadline-exceeded' }) as Error);
  });

  it('a deadline is at most one hour ahead', () => expect(deadlineOf('999999999999999', 1000)).toBe(3_601_000));

  it('a deadline in the past is refused with deadline-exceeded', () => {
    expect(() => deadlineOf('1000', 1000)).toThrow(expect.objectContaining({ code: 'deadline-exceeded' }) as Error);
  });

  it.each(['soon', '-1', '1.5', '', '1e3', ['1', '2']])('the invalid deadline %j is refused', (header) => {
    expect(() => deadlineOf(header, 0)).toThrow(expect.objectContaining({ code: 'validation' }) as Error);
  });
});
