import { expect, it } from 'vitest';
import { findDisorder } from './key-order.ts';

// Each event is sent at an even tick and acknowledged at the next one: one after another.
const inTurn = { sent: (number: number): number => number * 2, acknowledged: (number: number): number => number * 2 + 1 };
const oneKey = (): number => 0;

it('the check of the order finds nothing in a log that keeps it', () => {
  expect(findDisorder([[0, 1, 2], [Number.NaN]], oneKey, inTurn)).toEqual({ count: 0, named: [] });
});

it('the check of the order finds two events of a key that changed places', () => {
  expect(findDisorder([[0, 2, 1]], oneKey, inTurn)).toEqual({
    count: 1,
    named: ['event 1 is behind event 2 at offset 2 of partition 0'],
  });
});

it('events of different keys have no order', () => {
  expect(findDisorder([[0, 2, 1]], (number) => number, inTurn).count).toBe(0);
});

it('events that were under way at the same time have no order', () => {
  expect(findDisorder([[0, 2, 1]], oneKey, { ...inTurn, acknowledged: () => 9 }).count).toBe(0);
});

it('an event that was sent to Kafka twice counts at its first offset', () => {
  expect(findDisorder([[0, 1, 0, 2, 1]], oneKey, inTurn).count).toBe(0);
  expect(findDisorder([[1, 0, 1]], oneKey, inTurn).count).toBe(1);
});

it('an event without a receipt may be anywhere', () => {
  const acknowledged = (number: number): number => (number === 1 ? Number.POSITIVE_INFINITY : inTurn.acknowledged(number));
  expect(findDisorder([[0, 2, 1]], oneKey, { ...inTurn, acknowledged }).count).toBe(0);
});
