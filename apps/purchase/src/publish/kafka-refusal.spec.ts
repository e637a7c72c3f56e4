import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { purchasePipelines, remedyOf } from '../resilience.ts';
import { isKafkaRefusal } from './kafka-refusal.ts';

const refused = new AuthenticationError('SASL authentication failed.');

it.each([
  ['a failed authentication', refused, true],
  ['a missing right to the topic', new ProtocolError('TOPIC_AUTHORIZATION_FAILED'), true],
  [
    'a failed authentication among several errors',
    new MultipleErrors('Connecting failed.', [new NetworkError('Connection failed.'), refused]),
    true,
  ],
  ['a lost connection', new NetworkError('Connection failed.'), false],
  ['a leader that moved', new ProtocolError('NOT_LEADER_OR_FOLLOWER'), false],
])('%s: %o → %s', (_what, error, expected) => {
  expect(isKafkaRefusal(error)).toBe(expected);
  // The broker is healthy: its circuit stays closed, and an operator is told what to do.
  expect(purchasePipelines.kafka.classify(error) === 'invalid').toBe(expected);
  expect(remedyOf(error) !== undefined).toBe(expected);
});
