import { expect, it } from 'vitest';
import { ConsumerCrashes, reasonOf, type ConsumerCrash } from './consumer-crashes.ts';

function crashesAt(): { crashes: ConsumerCrashes; seen: ConsumerCrash[]; after: (ms: number) => void } {
  let now = 0;
  const seen: ConsumerCrash[] = [];
  return {
    crashes: new ConsumerCrashes(
      () => now,
      (crash) => void seen.push(crash),
    ),
    seen,
    after: (ms) => void (now += ms),
  };
}

it('the third crash in a row needs an operator, and a loop reports that once a minute', () => {
  const { crashes, seen, after } = crashesAt();
  for (let n = 0; n < 8; n += 1) {
    crashes.onCrash(new Error('a header is null'));
    after(20_000);
  }
  expect(seen.map(({ inARow, needsOperator }) => [inARow, needsOperator])).toEqual([
    [1, false],
    [2, false],
    [3, true],
    [4, false],
    [5, false],
    [6, true],
    [7, false],
    [8, false],
  ]);
});

it('a consumer loops from its third crash until a minute passed without one', () => {
  const { crashes, after } = crashesAt();
  crashes.onCrash(new Error('one'));
  crashes.onCrash(new Error('two'));
  expect(crashes.looping).toBe(false);
  crashes.onCrash(new Error('three'));
  expect(crashes.looping).toBe(true);
  expect(crashes.lastCrash?.message).toBe('three');
  after(60_001);
  expect(crashes.looping).toBe(false);
});

it('a crash after five quiet minutes starts a new row', () => {
  const { crashes, seen, after } = crashesAt();
  crashes.onCrash(new Error('one'));
  crashes.onCrash(new Error('two'));
  after(300_001);
  expect(crashes.inARow).toBe(0);
  crashes.onCrash(new Error('three'));
  expect(seen.at(-1)).toMatchObject({ inARow: 1, needsOperator: false });
});

it('an error of a consumer that could not start is the last error and not a crash', () => {
  const { crashes, seen } = crashesAt();
  crashes.onCrash(new Error('a header is null'));
  crashes.onError(new Error('SASL authentication failed'));
  expect(seen).toHaveLength(1);
  expect(crashes.lastCrash?.message).toBe('a header is null');
  expect(crashes.lastError?.message).toBe('SASL authentication failed');
});

it('the reason of an error names its cause once', () => {
  expect(reasonOf(new Error('no more retries', { cause: new Error('connection refused') }))).toBe('no more retries: connection refused');
  expect(reasonOf(new Error('no more retries: connection refused', { cause: new Error('connection refused') }))).toBe(
    'no more retries: connection refused',
  );
});
