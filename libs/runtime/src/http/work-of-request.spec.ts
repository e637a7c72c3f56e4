import { describe, expect, it } from 'vitest';
import { deadlineOf } from './work-of-request.ts';

describe('the deadline header', () => {
  it('is a time in the future, in epoch milliseconds', () => {
    expect(deadlineOf('1500', 1000)).toBe(1500);
    expect(deadlineOf(undefined, 1000)).toBeUndefined();
  });

  it('counts an hour ahead at most', () => expect(deadlineOf('999999999999999', 1000)).toBe(3_601_000));

  it('refuses work whose time has passed', () => {
    expect(() => deadlineOf('1000', 1000)).toThrow(expect.objectContaining({ code: 'deadline-exceeded' }) as Error);
  });

  it.each(['soon', '-1', '1.5', '', '1e3', ['1', '2']])('refuses %j', (header) => {
    expect(() => deadlineOf(header, 0)).toThrow(expect.objectContaining({ code: 'validation' }) as Error);
  });
});
