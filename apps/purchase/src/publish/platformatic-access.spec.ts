import { kafkaAccessOf, kafkaRefusalOf, plainAccess } from '@millrace/kafka/access';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { purchasePipelines, remedyOf } from '../resilience.ts';
import { platformaticAccess } from './platformatic-access.ts';

const refused = new AuthenticationError('SASL authentication failed.');
const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });

it.each([
  ['a failed authentication', refused, 'login'],
  [
    'an unknown mechanism as the cause of a failed authentication',
    new AuthenticationError('no mechanism', { cause: new ProtocolError('UNSUPPORTED_SASL_MECHANISM') }),
    'mechanism',
  ],
  ['a missing right to the topic', new ProtocolError('TOPIC_AUTHORIZATION_FAILED'), 'authorization'],
  [
    'a failed authentication among several errors',
    new MultipleErrors('Connecting failed.', [new NetworkError('Connection failed.'), new NetworkError('failed', { cause: refused })]),
    'login',
  ],
  ['an expired certificate', new NetworkError('Connection failed.', { cause: expired }), 'expired-certificate'],
  ['a lost connection', new NetworkError('Connection failed.', { cause: new UserError('TLS handshake failed.') }), undefined],
  ['a leader that moved', new ProtocolError('NOT_LEADER_OR_FOLLOWER'), undefined],
])('%s (%o) is named %s', (_what, error, kind) => {
  expect(kafkaRefusalOf(error)?.kind).toBe(kind);
  // The broker is healthy: its circuit stays closed, and the error names the remedy.
  expect(purchasePipelines.kafka.classify(error) === 'invalid').toBe(kind !== undefined);
  expect(remedyOf(error) !== undefined).toBe(kind !== undefined);
});

function tlsOptions(brokers: string[], name?: string): unknown {
  const named = name === undefined ? {} : { KAFKA_TLS_SERVER_NAME: name };
  return platformaticAccess(kafkaAccessOf({ KAFKA_BROKERS: brokers, KAFKA_TLS: true, ...named }));
}

describe('platformaticAccess', () => {
  it('the options of the client neither encrypt nor log in by default', () => {
    expect(platformaticAccess(plainAccess(['a:1']))).toEqual({ bootstrapBrokers: ['a:1'] });
  });

  it('the options name the host in the TLS handshake, unless a name is set or a broker has no name', () => {
    expect(tlsOptions(['kafka:9093'])).toEqual({ bootstrapBrokers: ['kafka:9093'], tls: {}, tlsServerName: true });
    expect(tlsOptions(['127.0.0.1:9093'])).toEqual({ bootstrapBrokers: ['127.0.0.1:9093'], tls: {} });
    expect(tlsOptions(['kafka:9093'], 'broker')).toEqual({ bootstrapBrokers: ['kafka:9093'], tls: { servername: 'broker' } });
  });

  it('a token is refused when the broker answers with a reason', () => {
    const { sasl } = platformaticAccess({
      brokers: ['a:1'],
      sendsServerName: true,
      sasl: { mechanism: 'OAUTHBEARER', token: async () => await Promise.resolve('t') },
    });
    const answer = (text: string): unknown => {
      let found: unknown;
      sasl?.authBytesValidator?.(Buffer.from(text), (error) => (found = error));
      return found;
    };
    expect(answer('')).toBeNull();
    expect(kafkaRefusalOf(answer('{"status":"invalid_token"}'))).toMatchObject({ kind: 'login' });
  });
});
