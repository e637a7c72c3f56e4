import { describe, expect, it } from 'vitest';
import { readSettings, serviceEnv } from './settings.ts';

/** The access to AWS that services get. */
function accessOf(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE } = serviceEnv(readSettings(env), env);
  return { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE };
}

describe('stack settings', () => {
  it('the defaults have the documented ports and start every part', () => {
    const settings = readSettings({});
    expect(settings.ports).toEqual({
      kafka: 9092,
      kafkaProxied: 9094,
      kafkaAdvertised: 9094,
      kafkaController: 9093,
      redis: 6379,
      aws: 4566,
      trino: 8080,
      athena: 4567,
      purchase: 3001,
      sink: 3002,
      query: 3003,
      queryWorker: 3004,
      projector: 3005,
    });
    expect([...settings.external]).toEqual([]);
  });

  it('three brokers are 10 ports apart, and clients get all of them', () => {
    const settings = readSettings({ KAFKA_PORT: '19092' }, 3);
    const brokers = '127.0.0.1:19092,127.0.0.1:19102,127.0.0.1:19112';
    expect([settings.brokers, settings.kafkaBrokers]).toEqual([3, brokers]);
    expect([...readSettings({ KAFKA_PORT: '19092', KAFKA_BROKERS: brokers }).external]).toEqual([]);
  });

  it('a port setting moves a part and the clients that use it', () => {
    const settings = readSettings({ KAFKA_PORT: '19092', REDIS_PORT: '16379', AWS_EMULATOR_PORT: '14566' });
    expect(serviceEnv(settings, {})).toMatchObject({
      KAFKA_BROKERS: '127.0.0.1:19092',
      REDIS_URL: 'redis://127.0.0.1:16379',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:14566',
    });
    expect([...settings.external]).toEqual([]);
  });

  it('the AWS variables of S3 and Glue precede the general one', () => {
    const settings = readSettings({ AWS_ENDPOINT_URL: 'http://aws:1', AWS_ENDPOINT_URL_S3: 'http://s3:2' });
    expect(settings).toMatchObject({ awsUrl: 'http://aws:1', s3Url: 'http://s3:2', glueUrl: 'http://aws:1' });
    expect(readSettings({ AWS_ENDPOINT_URL_GLUE: 'http://glue:3', AWS_EMULATOR_PORT: '14566' })).toMatchObject({
      awsUrl: 'http://127.0.0.1:14566',
      s3Url: 'http://127.0.0.1:14566',
      glueUrl: 'http://glue:3',
    });
  });

  it('the emulator starts unless every AWS service has another address', () => {
    const elsewhere = { AWS_ENDPOINT_URL_S3: 'http://s3:2', AWS_ENDPOINT_URL_GLUE: 'http://glue:3' };
    expect([...readSettings(elsewhere).external]).toEqual([]);
    expect([...readSettings({ ...elsewhere, AWS_ENDPOINT_URL_ATHENA: 'http://athena:4' }).external]).toEqual(['aws', 'athena']);
    expect([...readSettings({ AWS_ENDPOINT_URL: 'http://aws:1' }).external]).toEqual(['aws']);
  });

  it('a part with a URL in the environment does not start', () => {
    const settings = readSettings({ KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092', REDIS_URL: 'redis://cache:6379' });
    expect([...settings.external]).toEqual(['kafka', 'redis']);
    expect(settings.kafkaBrokers).toBe('kafka-1:9092,kafka-2:9092');
  });

  it('a port variable of a Kubernetes Service is ignored', () => {
    expect(readSettings({ KAFKA_PORT: 'tcp://10.96.97.183:9092', REDIS_PORT: 'tcp://10.96.97.184:6379' }).ports).toMatchObject({
      kafka: 9092,
      redis: 6379,
    });
  });

  it('the error names every invalid port', () => {
    expect(() => readSettings({ KAFKA_PORT: 'x', REDIS_PORT: '70000' })).toThrow(
      'KAFKA_PORT must be a port from 1 to 65535 (it is "x"); REDIS_PORT must be a port from 1 to 65535 (it is "70000")',
    );
  });

  it('the given variables precede those of the local profile', () => {
    expect(serviceEnv(readSettings({}), { SINK_FLUSH_SECONDS: '60', SINK_PORT: '3012' })).toMatchObject({
      SINK_FLUSH_SECONDS: '60',
      SINK_PORT: '3012',
      AWS_REGION: 'us-east-1',
    });
  });

  const unchecked = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'millrace', AWS_SECRET_ACCESS_KEY: 'millrace' };

  it('the emulator gets fixed keys and no profile that may need a login', () => {
    expect(accessOf({})).toEqual(unchecked);
    expect(accessOf({ AWS_PROFILE: 'work' })).toEqual(unchecked);
    expect(accessOf({ AWS_ENDPOINT_URL: 'http://emulator:4566', AWS_REGION: 'eu-west-1' })).toEqual({
      ...unchecked,
      AWS_REGION: 'eu-west-1',
    });
  });

  it('another store gets the credentials and the region of the environment', () => {
    const AWS_ENDPOINT_URL_S3 = 'https://s3.eu-west-1.amazonaws.com';
    expect(accessOf({ AWS_ENDPOINT_URL_S3, AWS_PROFILE: 'work' })).toEqual({ AWS_PROFILE: 'work' });
    expect(accessOf({ AWS_ENDPOINT_URL_S3, AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_REGION: 'eu-west-1' })).toEqual({
      AWS_REGION: 'eu-west-1',
    });
    expect(accessOf({ AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' })).toEqual({
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    });
  });
});
