import { LakeError } from '@millrace/lake';
import { expect, it } from 'vitest';
import { laneRetryDelay } from '../lane/lane-retry-delay.ts';
import { StoreAdmission } from './store-admission.ts';
import { TestClock } from '../testing/test-clock.ts';

interface Tried {
  readonly admission: StoreAdmission;
  readonly clock: TestClock;
  readonly tries: number[];
  readonly failures: string[];
  readonly stop: AbortController;
}

function admission(answers: (Error | undefined)[]): Tried {
  const clock = new TestClock();
  const stop = new AbortController();
  const tries: number[] = [];
  const failures: string[] = [];
  const probe = async (n: number): Promise<void> => {
    tries.push(n);
    const answer = answers.shift();
    if (answer !== undefined) throw answer;
  };
  const patience = laneRetryDelay({ baseMs: 200, waitMsMax: 10_000 }, clock, () => 0.5);
  const one = new StoreAdmission(probe, { patience, clock, signal: stop.signal, onFailure: ({ message }) => void failures.push(message) });
  return { admission: one, clock, tries, failures, stop };
}

const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

it('admission retries after an outage with a new key, and the store passes when it answers', async () => {
  const { admission: one, clock, tries, failures } = admission([new LakeError('unavailable', 'no answer'), undefined]);
  await settled();
  expect(one.failure?.message).toBe('no answer');
  expect(one.passed).toBe(false);
  clock.ring();
  await one.done;
  expect(tries).toEqual([1, 2]);
  expect(failures).toEqual(['no answer']);
  expect([one.failure, one.passed]).toEqual([undefined, true]);
});

it('admission probes an unsound store again a minute later and not before', async () => {
  const { admission: one, clock } = admission([new LakeError('unsound-store', 'ignores If-None-Match')]);
  await settled();
  expect(one.failure?.message).toBe('ignores If-None-Match');
  expect(clock.waiting.map(({ ms }) => ms)).toEqual([60_000]);
  clock.ring();
  await one.done;
  expect(one.passed).toBe(true);
});

it('a stopping sink never passes admission', async () => {
  const { admission: one, stop, clock } = admission([new LakeError('unavailable', 'no answer')]);
  await settled();
  stop.abort(new Error('the sink stops'));
  await settled();
  expect(clock.waiting).toEqual([]);
  expect(await Promise.race([one.done.then(() => 'through'), settled().then(() => 'held')])).toBe('held');
});
