import { anonymous } from '@millrace/runtime';
import { expect, it } from 'vitest';
import { EventStreams, streamsOfCallerMax } from './event-streams.ts';

const alice = { kind: 'api-key', issuer: '', subject: 'alice' } as const;

it('a caller has a limit of streams, and another one still gets some', () => {
  const streams = new EventStreams(100);
  const [close] = Array.from({ length: streamsOfCallerMax }, () => streams.open(alice));
  expect(() => streams.open(alice)).toThrow('The caller has 20 open streams');
  streams.open({ ...alice, subject: 'bob' });
  close!();
  close!();
  streams.open(alice);
  expect(() => streams.open(alice)).toThrow('The caller has 20 open streams');
});

it('all callers together have a limit, anonymous ones included', () => {
  const streams = new EventStreams(30);
  for (let count = 0; count < 30; count += 1) streams.open(anonymous);
  expect(() => streams.open(alice)).toThrow('30 streams of events are open');
});
