import { createPipeline } from '@millrace/resilience';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../config/read-config.ts';
import { StartRefusedError } from '../errors.ts';
import { attemptsSetting, type CallPath, CallPaths, type SettingsOf } from './call-paths.ts';

const pipelines = [
  { name: 'kafka', timeout: { attemptMs: 900 } },
  { name: 'redis', retry: { attemptsMax: 2 } },
  { name: 's3', retry: {} },
].map((spec) => createPipeline(spec));
const settingsOf: SettingsOf = (name) => pipelines.find((pipeline) => pipeline.name === name)!.settings();
const paths: CallPath[] = [
  { request: 'POST /v1/purchases', layers: ['kafka'] },
  { request: 'POST /v1/queries', layers: [{ name: 'BullMQ', attemptsMax: 2 }, 's3'], calls: 2 },
  { request: 'GET /v1/queries/:id', layers: ['redis', { name: 'ioredis', attemptsMax: 1 }] },
];

describe('CallPaths', () => {
  it('the attempts of a path are the product of its layers, and the largest path is first', () => {
    expect(new CallPaths(paths, 12).count(settingsOf).map(({ request, product, attemptsMax }) => [request, product, attemptsMax])).toEqual([
      ['POST /v1/queries', '2 calls × BullMQ 2 × s3 3', 12],
      ['GET /v1/queries/:id', 'redis 2 × ioredis 1', 2],
      ['POST /v1/purchases', 'kafka 1', 1],
    ]);
  });

  it('a layer may derive its attempts from settings of pipelines', () => {
    const client = { name: 'client', attemptsMax: (of: SettingsOf) => of('kafka').timeout.attemptMs / 300 };
    expect(new CallPaths([{ request: 'POST /v1/purchases', layers: ['kafka', client] }]).count(settingsOf)).toMatchObject([
      { product: 'kafka 1 × client 3', attemptsMax: 3 },
    ]);
  });

  it('the start message names the largest number of attempts of one request', () => {
    expect(new CallPaths(paths, 12).sentence(settingsOf)).toBe(
      'One request causes at most 12 attempts at a dependency: POST /v1/queries (2 calls × BullMQ 2 × s3 3). The limit is 12.',
    );
    expect(new CallPaths([], 12).sentence(settingsOf)).toBe('No request causes a call to a dependency.');
  });

  it('the service starts when a path reaches the limit', () => expect(() => new CallPaths(paths, 12).enforce(settingsOf)).not.toThrow());

  it('the service does not start above the limit, and the error names the pipelines', () => {
    const limited = new CallPaths(paths, 11);
    expect(() => limited.enforce(settingsOf)).toThrow(StartRefusedError);
    expect(() => limited.enforce(settingsOf)).toThrow('POST /v1/queries may cause 12 attempts (2 calls × BullMQ 2 × s3 3; pipelines s3)');
    expect(() => limited.enforce(settingsOf)).not.toThrow('POST /v1/purchases');
  });

  it('the limit is a setting with a default', () => {
    const schema = Type.Object(attemptsSetting('SINK'));
    expect(readConfig(schema, { prefixes: ['SINK_'], env: {} }).SINK_ATTEMPTS_PER_REQUEST_MAX).toBe(12);
    expect(readConfig(Type.Object(attemptsSetting('SINK', 3)), { prefixes: ['SINK_'], env: {} }).SINK_ATTEMPTS_PER_REQUEST_MAX).toBe(3);
    expect(readConfig(schema, { prefixes: ['SINK_'], env: { SINK_ATTEMPTS_PER_REQUEST_MAX: '4' } }).SINK_ATTEMPTS_PER_REQUEST_MAX).toBe(4);
  });
});
