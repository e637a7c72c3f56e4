import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaSettingsError } from './errors.ts';
import { kafkaAccessFrom } from './kafka-access-from.ts';

let folder: string;
let secretFile: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-settings-'));
  secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'hunter2\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    kafkaAccessFrom(env);
    return [];
  } catch (error) {
    if (error instanceof KafkaSettingsError) return error.problems;
    throw error;
  }
}

const scram = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: 'hunter2' };
const oauth = {
  KAFKA_TLS: 'true',
  KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
  KAFKA_OAUTH_TOKEN_URL: 'https://issuer.example/token',
  KAFKA_OAUTH_CLIENT_ID: 'me',
  KAFKA_OAUTH_CLIENT_SECRET: 'hunter2',
};

describe('Kafka connection settings', () => {
  it('the default is a local broker without TLS and login', () => {
    expect(kafkaAccessFrom({})).toEqual({ brokers: ['127.0.0.1:9092'], sendsServerName: false });
  });

  it.each<[what: string, env: Record<string, string>]>([
    ['SCRAM', scram],
    ['a client credentials grant', oauth],
    ['a token endpoint on loopback', { ...oauth, KAFKA_OAUTH_TOKEN_URL: 'http://127.0.0.1:1/token' }],
    ['PLAIN without TLS on purpose', { ...scram, KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_TLS: 'false' }],
    [
      'MSK by a name with its region',
      { KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM', KAFKA_BROKERS: 'b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098' },
    ],
  ])('%s is a valid configuration', (_what, env) => expect(problemsOf(env)).toEqual([]));

  it.each<[problem: RegExp, env: Record<string, string>]>([
    [/KAFKA_TLS is false, and KAFKA_TLS_SERVER_NAME needs TLS/, { KAFKA_TLS: 'false', KAFKA_TLS_SERVER_NAME: 'kafka' }],
    [/KAFKA_TLS is not valid/, { KAFKA_TLS: 'maybe' }],
    [/KAFKA_TLS_CA_FILE names a file that cannot be read \(ENOENT\)/, { KAFKA_TLS_CA_FILE: '/no/such/file' }],
    [/KAFKA_SASL_MECHANISM is not valid/, { ...scram, KAFKA_SASL_MECHANISM: 'GSSAPI' }],
    [/KAFKA_SASL_USERNAME has no effect: set KAFKA_SASL_MECHANISM to PLAIN or SCRAM/, { KAFKA_SASL_USERNAME: 'me' }],
    [/KAFKA_SASL_USERNAME is missing/, { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256', KAFKA_SASL_PASSWORD: 'hunter2' }],
    [/KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE is missing/, { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256', KAFKA_SASL_USERNAME: 'me' }],
    [/PLAIN without TLS sends the secret in clear text/, { ...scram, KAFKA_SASL_MECHANISM: 'PLAIN' }],
    [/KAFKA_OAUTH_TOKEN_URL must be https/, { ...oauth, KAFKA_OAUTH_TOKEN_URL: 'http://issuer.example/token' }],
    [/KAFKA_OAUTH_TOKEN_URL or KAFKA_OAUTH_TOKEN_FILE is missing/, { KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'OAUTHBEARER' }],
    [/KAFKA_MSK_REGION is missing/, { KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM' }],
    [
      /KAFKA_TLS is false, and AWS_MSK_IAM needs TLS/,
      { KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM', KAFKA_MSK_REGION: 'eu-west-1', KAFKA_TLS: '0' },
    ],
  ])('an invalid configuration is refused with %s', (problem, env) => {
    const problems = problemsOf(env);
    expect(problems.join('\n')).toMatch(problem);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  it('settings that exclude each other or need each other are refused', () => {
    expect(problemsOf({ ...scram, KAFKA_SASL_PASSWORD_FILE: secretFile })).toEqual([
      'KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set: remove one.',
    ]);
    expect(problemsOf({ KAFKA_TLS_CERT_FILE: secretFile })).toEqual([
      'KAFKA_TLS_KEY_FILE is missing: KAFKA_TLS_CERT_FILE is of no use without it.',
    ]);
    expect(problemsOf({ ...oauth, KAFKA_OAUTH_TOKEN_FILE: secretFile })).toHaveLength(3);
  });
});

it('a secret in a file is read at each use, and its last value stays in use while the file is unreadable', () => {
  const path = join(folder, 'password');
  writeFileSync(path, 'first\n');
  const { KAFKA_SASL_PASSWORD: _value, ...named } = scram;
  const { sasl } = kafkaAccessFrom({ ...named, KAFKA_SASL_PASSWORD_FILE: path });
  const read = (): unknown => (sasl?.mechanism === 'SCRAM-SHA-512' ? sasl.password() : undefined);
  const seen = [read()];
  writeFileSync(path, 'second');
  seen.push(read());
  rmSync(path);
  seen.push(read());
  expect(seen).toEqual(['first', 'second', 'second']);
});
