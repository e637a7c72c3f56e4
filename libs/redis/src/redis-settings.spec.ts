import { describe, expect, it } from 'vitest';
import { keyNameOf, redisProblems, redisSettings, redisSettingsOf } from './redis-settings.ts';

const url = 'redis://user:secret@redis:6379/2';

describe('redisSettingsOf', () => {
  it('sentinels are read with their name and their own login', () => {
    const config = {
      REDIS_URL: url,
      REDIS_SENTINELS: 'one:26379,[::1]:26380',
      REDIS_SENTINEL_NAME: 'orders',
      REDIS_SENTINEL_PASSWORD: 'other',
    };
    expect(redisSettingsOf(url, config)).toMatchObject({
      url,
      sentinels: {
        nodes: [
          { host: 'one', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
        name: 'orders',
        password: 'other',
      },
    });
    expect(redisProblems(config)).toEqual([]);
  });

  it('nodes of a cluster are read, and its keys have a hash tag', () => {
    const config = { REDIS_URL: 'redis://redis', REDIS_CLUSTER_NODES: 'one:6379,two:6379' };
    expect(redisSettingsOf(config.REDIS_URL, config).clusterNodes).toEqual([
      { host: 'one', port: 6379 },
      { host: 'two', port: 6379 },
    ]);
    expect([keyNameOf('queries', config), keyNameOf('queries', {})]).toEqual(['{queries}', 'queries']);
    expect(redisProblems(config)).toEqual([]);
  });
});

describe('redisProblems', () => {
  it.each([
    [{ REDIS_URL: url, REDIS_SENTINELS: 'one:26379' }, 'REDIS_SENTINELS needs REDIS_SENTINEL_NAME'],
    [{ REDIS_URL: url, REDIS_SENTINEL_PASSWORD: 'other' }, 'REDIS_SENTINEL_PASSWORD has no effect'],
    [{ REDIS_URL: url, REDIS_CLUSTER_NODES: 'one:6379' }, 'only database 0'],
    [{ REDIS_CLUSTER_NODES: 'one:6379' }, 'REDIS_CLUSTER_NODES has no effect: set REDIS_URL'],
    [{ REDIS_URL: 'redis://r', REDIS_SENTINELS: 'one:1', REDIS_SENTINEL_NAME: 'm', REDIS_CLUSTER_NODES: 'one:1' }, 'exclude each other'],
  ])('%j is refused with its reason', (config, reason) => {
    expect(redisProblems(config)).toEqual([expect.stringContaining(reason)]);
  });

  it('a list without ports is not a list of addresses', () => {
    const pattern = new RegExp((redisSettings.REDIS_SENTINELS as unknown as { pattern: string }).pattern);
    expect(['one', 'one:1,', 'one:1, two:2', 'one:1,two:2', '[::1]:1'].map((list) => pattern.test(list))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });
});
