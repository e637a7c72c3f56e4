import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { tlsOf } from '@millrace/credentials';
import { settled, workerConnection, type RedisSettings } from '@millrace/redis';
import { TestCa, waitUntil } from '@millrace/testing';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { queuePrefix } from './queries/queue-prefix.ts';
import { testParts } from './testing-lake.ts';

const user = `tls-${randomUUID().slice(0, 8)}`;
let folder: string;
let ca: TestCa;
let proxy: Server;
let admin: Redis;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-redis-tls-'));
  ca = await TestCa.create(folder, 'ca');
  const { cert, key } = await ca.sign('redis');
  await ca.sign('client');
  const { hostname, port } = new URL(testParts.redisUrl);
  const options = {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca.cert),
    requestCert: true,
    rejectUnauthorized: true,
  };
  proxy = createServer(options, (client) => {
    const redis = connect({ host: hostname, port: Number(port) });
    client.pipe(redis).pipe(client);
    for (const socket of [client, redis]) socket.on('error', () => [client, redis].map((one) => one.destroy()));
  });
  proxy.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  admin = new Redis(testParts.redisUrl);
  // As docs/security.md lists them.
  const rights = [`~${queuePrefix}:*`, `&${queuePrefix}:*`, '+@all', '-@admin', '-@dangerous', '+info'];
  await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>right-horse', ...rights);
});
afterAll(async () => {
  await admin.call('ACL', 'DELUSER', user);
  admin.disconnect();
  await new Promise((resolve) => proxy.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

function settings(files: { readonly ca: string; readonly cert?: string; readonly key?: string }): RedisSettings {
  const { port } = proxy.address() as AddressInfo;
  return { url: `rediss://${user}:right-horse@localhost:${port}`, tls: tlsOf({ ...files, servername: 'localhost' }) };
}

it('jobs run with the least ACL over TLS with a client certificate, through a TLS proxy in front of Redis', async () => {
  const [cert, key] = ['client.pem', 'client.key'].map((name) => join(folder, name));
  const errors: Error[] = [];
  const redis = workerConnection(settings({ ca: ca.cert, cert: cert!, key: key! }), (error) => errors.push(error));
  await settled(redis, 5000);
  const queue = new Queue(`tls-${randomUUID()}`, { connection: redis, prefix: queuePrefix });
  const worker = new Worker(queue.name, async (job) => await Promise.resolve(`${job.name} ran`), {
    connection: redis,
    prefix: queuePrefix,
  });
  worker.on('error', (error) => errors.push(error));
  try {
    const job = await queue.add('query', {});
    await waitUntil('the job', async () => ((await job.getState()) === 'completed' ? true : undefined));
    expect(errors).toEqual([]);
    await expect(redis.get('another-key')).rejects.toThrow('NOPERM');
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
    redis.disconnect();
  }
});

it('a Redis whose certificate is not signed by the CA is refused', async () => {
  const other = await TestCa.create(folder, 'other');
  const errors: Error[] = [];
  const redis = workerConnection(settings({ ca: other.cert }), (error) => errors.push(error));
  try {
    await waitUntil('the refusal', () => (errors.length > 0 ? true : undefined));
    expect(errors[0]).toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) as string });
  } finally {
    redis.disconnect();
  }
});
