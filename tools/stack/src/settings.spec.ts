import { describe, expect, it } from 'vitest';
import { readSettings, serviceEnv } from './settings.ts';

describe('the settings of the stack', () => {
  it('have the ports of DESIGN, and start every part', () => {
    const settings = readSettings({});
    expect(settings.ports).toEqual({ kafka: 9092, kafkaProxied: 9094, kafkaAdvertised: 9094, kafkaController: 9093, redis: 6379, aws: 4566, purchase: 3001, sink: 3002, query: 3003, queryWorker: 3004 });
    expect([...settings.external]).toEqual([]);
  });

  it('move a part by its port, and its clients with it', () => {
    const settings = readSettings({ KAFKA_PORT: '19092', REDIS_PORT: '16379', AWS_EMULATOR_PORT: '14566' });
    expect(serviceEnv(settings, {})).toMatchObject({ KAFKA_BROKERS: '127.0.0.1:19092', REDIS_URL: 'redis://127.0.0.1:16379', AWS_ENDPOINT_URL: 'http://127.0.0.1:14566' });
    expect([...settings.external]).toEqual([]);
  });

  it('do not start a part that a URL says is there', () => {
    const settings = readSettings({ KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092', REDIS_URL: 'redis://cache:6379' });
    expect([...settings.external]).toEqual(['kafka', 'redis']);
    expect(settings.kafkaBrokers).toBe('kafka-1:9092,kafka-2:9092');
  });

  it('ignore what Kubernetes sets for a Service under the name of a port', () => {
    expect(readSettings({ KAFKA_PORT: 'tcp://10.96.97.183:9092', REDIS_PORT: 'tcp://10.96.97.184:6379' }).ports).toMatchObject({ kafka: 9092, redis: 6379 });
  });

  it('name every port that is not one', () => {
    expect(() => readSettings({ KAFKA_PORT: 'x', REDIS_PORT: '70000' })).toThrow('KAFKA_PORT must be a port from 1 to 65535 (it is "x"); REDIS_PORT must be a port from 1 to 65535 (it is "70000")');
  });

  it('give a service what it was given, above the local profile', () => {
    expect(serviceEnv(readSettings({}), { SINK_FLUSH_SECONDS: '60', SINK_PORT: '3012' })).toMatchObject({ SINK_FLUSH_SECONDS: '60', SINK_PORT: '3012', AWS_REGION: 'us-east-1' });
  });
});
