import type { Mechanism } from 'kafkajs';
import { expect, it } from 'vitest';
import { plainAccess, type KafkaAccess } from './kafka-access.ts';
import { kafkajsAccess } from './kafkajs-access.ts';
import { kafkaRefusalOf } from './refusal.ts';

it('a client uses neither TLS nor SASL by default', () => {
  expect(kafkajsAccess(plainAccess(['a:1']))).toEqual({ brokers: ['a:1'] });
});

it('the password is read at each login, and a session is renewed before it ends', () => {
  let password = 'first';
  const access: KafkaAccess = {
    ...plainAccess(['a:1']),
    tls: {},
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'me', password: () => password },
  };
  const { sasl, ssl, reauthenticationThreshold } = kafkajsAccess(access);
  expect([ssl, reauthenticationThreshold]).toEqual([{}, 2000]);
  const read = (): unknown => ({ ...(sasl as unknown as object) });
  expect(read()).toEqual({ mechanism: 'scram-sha-512', username: 'me', password: 'first' });
  password = 'second';
  expect(read()).toMatchObject({ password: 'second' });
});

it('a login whose token the broker rejects fails with the reason of the broker', async () => {
  const { sasl } = kafkajsAccess({
    ...plainAccess(['a:1']),
    sasl: { mechanism: 'OAUTHBEARER', token: async () => await Promise.resolve('abc') },
  });
  const sent: string[] = [];
  const login = async (answer: string): Promise<unknown> =>
    await (sasl as Mechanism)
      .authenticationProvider({
        host: 'a',
        port: 1,
        logger: undefined as never,
        async saslAuthenticate({ request, response }) {
          const bytes = await request.encode();
          sent.push(bytes.subarray(4, 4 + bytes.readInt32BE(0)).toString());
          return response!.parse(await response!.decode(Buffer.from(`\0\0\0${String.fromCodePoint(answer.length)}${answer}`)));
        },
      })
      .authenticate()
      .catch((error: unknown) => error);
  expect(await login('')).toBeUndefined();
  expect(sent).toEqual(['n,,\u0001auth=Bearer abc\u0001\u0001']);
  expect(kafkaRefusalOf(await login('{"status":"invalid_token"}'))).toMatchObject({ kind: 'login' });
});
