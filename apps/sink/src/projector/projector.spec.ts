import type { Round } from '@millrace/lake';
import { expect, it } from 'vitest';
import { tick } from '../simulation/parts/tick.ts';
import { TestClock } from '../testing/test-clock.ts';
import { Projector } from './projector.ts';

const committed: Round = { outcome: 'committed', files: 1, rows: 1, more: false };

/** A projector whose rounds give these outcomes in turn. */
function projectorOf(outcomes: (Round | Error)[]): { projector: Projector; clock: TestClock; seen: string[] } {
  const clock = new TestClock();
  const seen: string[] = [];
  const projection = {
    head: undefined,
    round: async (): Promise<Round> => {
      const next = outcomes.shift() ?? { ...committed, outcome: 'idle' as const };
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const observer = {
    onRound: (_table: string, { outcome }: Round): void => void seen.push(outcome),
    onFailure: (_table: string, error: Error): void => void seen.push(error.message),
  };
  return { projector: new Projector('purchases', projection, { everyMs: 1000, clock, observer }), clock, seen };
}

it('a projector that is behind catches up without pauses, and then waits for its interval', async () => {
  const { projector, clock, seen } = projectorOf([{ ...committed, more: true }, { ...committed, more: true }, committed]);
  projector.start();
  await tick();
  expect(seen).toEqual(['committed', 'committed', 'committed']);
  expect(clock.waiting.map(({ ms }) => ms)).toEqual([1000]);
  clock.ring();
  await tick();
  expect(seen).toEqual(['committed', 'committed', 'committed', 'idle']);
  await projector.stop();
});

it('a failed round is reported, and the next success clears the failure', async () => {
  const { projector, clock, seen } = projectorOf([new Error('S3 is down'), committed]);
  projector.start();
  await tick();
  expect(projector.failure?.message).toBe('S3 is down');
  clock.ring();
  await tick();
  expect(seen).toEqual(['S3 is down', 'committed']);
  expect(projector.failure).toBeUndefined();
  await projector.stop();
});

it('after a lost race the projector waits for its interval', async () => {
  const { projector, clock, seen } = projectorOf([{ outcome: 'lost', files: 0, rows: 0, more: true }]);
  projector.start();
  await tick();
  expect(seen).toEqual(['lost']);
  expect(clock.waiting).toHaveLength(1);
  await projector.stop();
  expect(clock.waiting).toHaveLength(0);
});
