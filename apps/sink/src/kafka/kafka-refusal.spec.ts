import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { isKafkaRefusal } from './kafka-refusal.ts';

const { KafkaJSConnectionError, KafkaJSProtocolError } = kafkajs;
// Its types leave out the argument that its code needs.
const KafkaJSSASLAuthenticationError = kafkajs.KafkaJSSASLAuthenticationError as new (cause: Error) => Error;
const unauthorized = new KafkaJSProtocolError({
  message: 'Not authorized to access topics',
  code: 29,
  type: 'TOPIC_AUTHORIZATION_FAILED',
} as never);

it.each([
  ['a failed authentication', new KafkaJSSASLAuthenticationError(new Error('SASL PLAIN authentication failed')), true],
  ['a missing right', unauthorized, true],
  ['a missing right behind spent retries', new Error('no more retries', { cause: unauthorized }), true],
  ['a lost connection', new KafkaJSConnectionError('connect ECONNREFUSED'), false],
  ['no error at all', undefined, false],
])('%s is a refusal: %o → %s', (_what, error, expected) => expect(isKafkaRefusal(error)).toBe(expected));
