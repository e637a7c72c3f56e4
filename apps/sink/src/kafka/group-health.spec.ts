import { expect, it } from 'vitest';
import { groupTrouble } from './group-health.ts';

const joined = { joined: true, lastContactMs: 100_000 };
const out = { joined: false, lastContactMs: 0 };
const calm = { lastCrash: undefined, lastError: undefined, looping: false, inARow: 0 };
const failed = { ...calm, lastCrash: new Error('a header is null'), lastError: new Error('connection refused'), inARow: 1 };

it.each([
  [
    'a joined consumer has no trouble, whatever ended the one before it',
    { state: joined, crashes: failed, waitsFor: undefined },
    undefined,
  ],
  [
    'a consumer out of the group names the last error',
    { state: out, crashes: failed, waitsFor: undefined },
    'the consumer group is not joined; the last error: connection refused',
  ],
  [
    'a consumer that never began has no error to name',
    { state: out, crashes: calm, waitsFor: undefined },
    'the consumer group is not joined',
  ],
  [
    'a waiting consumer names the reason',
    { state: out, crashes: calm, waitsFor: 'the disk is full' },
    'the consumer group is not joined: the disk is full',
  ],
  [
    'a consumer that crashes repeatedly stays unhealthy between two crashes',
    { state: joined, crashes: { ...failed, looping: true, inARow: 4 }, waitsFor: undefined },
    'the consumer crashed 4 times in a row; the last error: a header is null',
  ],
  [
    'a consumer that crashes before it joins says both',
    { state: out, crashes: { ...failed, looping: true, inARow: 4 }, waitsFor: undefined },
    'the consumer group is not joined, and the consumer crashed 4 times in a row; the last error: connection refused',
  ],
])('%s', (_name, parts, trouble) => expect(groupTrouble(parts, 105_000)).toBe(trouble));

it('a joined consumer that hears nothing for more than ten seconds has lost Kafka', () => {
  expect(groupTrouble({ state: joined, crashes: calm, waitsFor: undefined }, 112_000)).toBe('no answer from Kafka for 12 s');
});
