import { connect } from 'node:net';
import kafkajs from 'kafkajs';
import { trinoProblem } from './trino/trino-problem.ts';

/**
 * Tells whether the target of a health URL answers, and otherwise resolves with the reason. `http://…` must answer with a status below 400,
 * `kafka://…` with its metadata, `redis://…` with PONG, `trino://…` with a row.
 */
export async function problemOf(health: string): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(health);
  try {
    if (protocol === 'redis:') await ping(hostname, Number(port));
    else if (protocol === 'kafka:') await describe(`${hostname}:${port}`);
    else if (protocol === 'trino:') return await trinoProblem(`http://${hostname}:${port}`);
    else return await fetchProblem(health);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function fetchProblem(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  const text = await response.text();
  if (response.ok) return undefined;
  try {
    const { dependencies } = JSON.parse(text) as { dependencies: { name: string; status: string; detail?: string }[] };
    const down = dependencies.filter(({ status }) => status === 'down').map(({ name, detail }) => `${name}: ${detail ?? 'down'}`);
    return down.length > 0 ? down.join('; ') : `it answers ${response.status}`;
  } catch {
    return `it answers ${response.status}`;
  }
}

async function ping(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, timeout: 2000 });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      if (data.toString().startsWith('+PONG')) resolve();
      else reject(new Error(data.toString().trim()));
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
  });
}

async function describe(broker: string): Promise<void> {
  const admin = new kafkajs.Kafka({
    brokers: [broker],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 3000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
