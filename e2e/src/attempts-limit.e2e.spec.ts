import { spawnService } from '@millrace/testing';
import { describe, expect, it } from 'vitest';

describe.each([
  ['purchase', 'PURCHASE'],
  ['sink', 'SINK'],
  ['query-api', 'QUERY'],
  ['query-worker', 'QUERY'],
] as const)('%s', (name, prefix) => {
  it('the service refuses to start when one request may exceed the limit of attempts, and the error names the path', async () => {
    await expect(spawnService(name, { [`${prefix}_ATTEMPTS_PER_REQUEST_MAX`]: '1' })).rejects.toThrow(
      /the limit is 1 attempts for one request, but .+ may cause \d+ attempts/,
    );
  });
});

it('a service logs at its start the largest number of attempts of one request', async () => {
  const service = await spawnService('purchase', {}, { until: 'live' });
  try {
    expect(service.output).toMatch(/One request causes at most 30 attempts at a dependency: .+ The limit is 100\./);
  } finally {
    await service.kill('SIGKILL');
  }
});
