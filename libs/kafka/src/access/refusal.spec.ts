import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { KafkaTokenError } from './errors.ts';
import { kafkaRefusalOf, nameRefusals } from './refusal.ts';

const { KafkaJSConnectionError, KafkaJSProtocolError } = kafkajs;
// Its types leave out the argument that its code needs.
const KafkaJSSASLAuthenticationError = kafkajs.KafkaJSSASLAuthenticationError as new (cause: Error) => Error;
const unauthorized = new KafkaJSProtocolError({
  message: 'Not authorized to access group',
  code: 30,
  type: 'GROUP_AUTHORIZATION_FAILED',
} as never);
const withCode = (code: string): Error => new Error('spent retries', { cause: Object.assign(new Error('words'), { code }) });
const unavailable = new KafkaTokenError('token-unavailable', 'The token endpoint does not answer.');

it.each<[what: string, error: unknown, kind: string | undefined]>([
  ['a failed authentication', new KafkaJSSASLAuthenticationError(new Error('SASL PLAIN authentication failed')), 'login'],
  ['a missing right', unauthorized, 'authorization'],
  ['a missing right as the cause of spent retries', new Error('no more retries', { cause: unauthorized }), 'authorization'],
  ['a certificate of an unknown CA', withCode('SELF_SIGNED_CERT_IN_CHAIN'), 'unknown-ca'],
  ['an expired certificate', withCode('CERT_HAS_EXPIRED'), 'expired-certificate'],
  ['a certificate for another name', withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'server-name'],
  ['an alert of the broker', withCode('ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN'), 'client-certificate'],
  ['a refused client of the token endpoint', new KafkaTokenError('token-refused', 'It answered 401.'), 'token'],
  [
    'a token endpoint that is down',
    Object.assign(new Error('failed', { cause: unavailable }), { code: 'PLT_KFK_AUTHENTICATION' }),
    undefined,
  ],
  ['a lost connection', new KafkaJSConnectionError('connect ECONNREFUSED'), undefined],
  ['no error at all', undefined, undefined],
])('%s is classified: %o → %s', (_what, error, kind) => expect(kafkaRefusalOf(error)?.kind).toBe(kind));

it('the refusal has the message of Kafka and a remedy', () => {
  const refusal = kafkaRefusalOf(unauthorized)!;
  expect([refusal.message, refusal.remedy]).toEqual([
    'The ACLs of Kafka do not allow this service the consumer group: Not authorized to access group.',
    'grant READ on the group',
  ]);
  expect(kafkaRefusalOf(new Error('wrapped', { cause: refusal }))).toBe(refusal);
});

it('a call on a broken connection fails with the refusal that broke it', async () => {
  const closed = new Error('Connection closed');
  const fail = async (): Promise<never> => await Promise.reject(closed);
  await expect(nameRefusals(fail, () => withCode('ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE'))).rejects.toMatchObject({
    kind: 'client-certificate',
  });
  await expect(nameRefusals(fail, () => new Error('reset'))).rejects.toBe(closed);
});
